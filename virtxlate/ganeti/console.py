"""What shows a guest to its user, in the stored command: USB pointer, VNC or SPICE.

An address that only the node knows (a bind address that is an interface) is reported, never guessed.
Source: Ganeti 3.0.2 and 3.2 alpha (c35736d8a), lib/hypervisor/hv_kvm/__init__.py:1394-1546.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from virtxlate.ganeti import q35
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.params import HvParams
from virtxlate.ganeti.runtime_tree import lost
from virtxlate.report import Report

_VNC_BASE_PORT = 5900
_SPICE_CA = "/var/lib/ganeti/spice-ca.pem"
_SPICE_PEM = "/var/lib/ganeti/spice.pem"
_NO_PORT = "only config.data and the metadata of virtxlate tell the port that is reserved for it"
_INTERFACE = "the address of an interface is the node's to tell"


def display(instance: Instance, report: Report, *, is_q35: bool = False) -> list[str]:
    """Give USB, VNC, SPICE or no display; an address or port that is not known is reported."""
    hvparams = instance.hvparams
    pointer = hvparams.usb_mouse or ("tablet" if hvparams.vnc_bind_address else "")
    words = _usb_of_q35(hvparams, pointer) if is_q35 else _usb(pointer)
    if hvparams.vnc_bind_address:
        return [*words, *_vnc(instance, report)]
    if hvparams.spice_bind:
        return [*words, *_spice(instance, report, is_q35=is_q35)]
    return [*words, "-display", "none"]


def _usb(pointer: str) -> list[str]:
    return ["-usb", "-usbdevice", pointer] if pointer else ["-usb"]


def _usb_of_q35(hvparams: HvParams, pointer: str) -> list[str]:
    """Give the controller where a device needs it; those of usb_devices come later, by -usbdevice."""
    words = []
    if pointer or hvparams.usb_devices:
        words += ["-device", "qemu-xhci,id=usb" + q35.static_place("hvparams.usb_devices")]
    return [*words, "-device", f"usb-{pointer},bus=usb.0"] if pointer else words


def _lost(report: Report, option: str, value: object, reason: str) -> list[str]:
    lost(report, f"[0] {option}", value, reason, guest=False)
    return []


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _vnc(instance: Instance, report: Report) -> list[str]:
    hvparams, bind = instance.hvparams, instance.hvparams.vnc_bind_address
    if bind.startswith("/"):
        return ["-vnc", f"unix:{bind}/{instance.name}.vnc"]
    if not _is_address(bind):
        return _lost(report, "-vnc", bind, _INTERFACE)
    if instance.network_port is None:
        return _lost(report, "-vnc", bind, _NO_PORT)
    tls = _vnc_tls(hvparams) if hvparams.vnc_tls else []
    options = ",tls-creds=vnctls0" if tls else ""
    if hvparams.vnc_password_file:
        options += ",password"
    return [*tls, "-vnc", _vnc_display(bind, instance.network_port) + options]


def _vnc_display(bind: str, port: int) -> str:
    if port <= _VNC_BASE_PORT:
        return "none"
    host = "" if bind == "0.0.0.0" else f"[{bind}]" if ":" in bind else bind  # noqa: S104 - only read
    return f"{host}:{port - _VNC_BASE_PORT}"


def _vnc_tls(hvparams: HvParams) -> list[str]:
    words = ["tls-creds-anon", "id=vnctls0", "endpoint=server"]
    if hvparams.vnc_x509_verify or hvparams.vnc_x509_path:
        words[0] = "tls-creds-x509"
        peer = "yes" if hvparams.vnc_x509_verify else "no"
        words += [f"dir={hvparams.vnc_x509_path}", f"verify-peer={peer}"]
    return ["-object", ",".join(words)]


def _spice(instance: Instance, report: Report, *, is_q35: bool) -> list[str]:
    hvparams = instance.hvparams
    agent = []
    if hvparams.spice_use_vdagent:
        place = q35.static_place("hvparams.spice_use_vdagent") if is_q35 else ""
        agent = ["-device", f"virtio-serial-pci,id=spice{place}"]
        agent += ["-device", "virtserialport,chardev=spicechannel0,name=com.redhat.spice.0"]
        agent += ["-chardev", "spicevmc,id=spicechannel0,name=vdagent"]
    if not _is_address(hvparams.spice_bind):
        return agent + _lost(report, "-spice", hvparams.spice_bind, _INTERFACE)
    if instance.network_port is None:
        return agent + _lost(report, "-spice", hvparams.spice_bind, _NO_PORT)
    return [*agent, "-spice", ",".join(_spice_options(hvparams, instance.network_port))]


def _spice_options(hvparams: HvParams, port: int) -> Iterator[str]:
    yield f"addr={hvparams.spice_bind}"
    if hvparams.spice_use_tls:
        yield f"tls-port={port},x509-cacert-file={_SPICE_CA}"
        yield f"x509-key-file={_SPICE_PEM},x509-cert-file={_SPICE_PEM}"
        if hvparams.spice_tls_ciphers:
            yield f"tls-ciphers={hvparams.spice_tls_ciphers}"
    else:
        yield f"port={port}"
    if not hvparams.spice_password_file:
        yield "disable-ticketing"
    for option, value in (
        ("image-compression", hvparams.spice_image_compression),
        ("jpeg-wan-compression", hvparams.spice_jpeg_wan_compression),
        ("zlib-glz-wan-compression", hvparams.spice_zlib_glz_wan_compression),
        ("streaming-video", hvparams.spice_streaming_video),
    ):
        if value:
            yield f"{option}={value}"
    if not hvparams.spice_playback_compression:
        yield "playback-compression=off"
    if not hvparams.spice_use_vdagent:
        yield "agent-mouse=off"
