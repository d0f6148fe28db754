"""Records of a domain that are no devices of the guest: displays, pinning, labels, SMBIOS, words for QEMU.

Source: libvirt 9.0.0, docs/formatdomain.rst.
"""

from __future__ import annotations

import msgspec


class Listen(msgspec.Struct, frozen=True, kw_only=True):
    """``<listen type='address' address='127.0.0.1'/>`` of a display."""

    type: str
    address: str | None = None
    network: str | None = None
    socket: str | None = None


class Graphics(msgspec.Struct, frozen=True, kw_only=True):
    """``<graphics type='vnc' port='5900' autoport='no'><listen .../></graphics>``."""

    type: str
    port: int | None = None
    tls_port: int | None = None
    autoport: bool | None = None
    keymap: str | None = None
    password: str | None = None
    """Empty text: nobody may connect until somebody sets one. No other text stands in a document of ours."""
    default_mode: str | None = None
    listens: tuple[Listen, ...] = ()
    image_compression: str | None = None
    jpeg_compression: str | None = None
    zlib_compression: str | None = None
    playback_compression: bool | None = None
    streaming_mode: str | None = None
    mouse_mode: str | None = None

    def __repr__(self) -> str:
        """Give the record without its password."""
        shown = {name: getattr(self, name) for name in self.__struct_fields__}
        shown["password"] = self.password and "***"
        return f"Graphics({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


class CpuFeature(msgspec.Struct, frozen=True, kw_only=True):
    """``<feature policy='require' name='pcid'/>`` of a CPU."""

    policy: str | None = None
    name: str


class VcpuPin(msgspec.Struct, frozen=True, kw_only=True):
    """``<vcpupin vcpu='0' cpuset='1-3'/>``."""

    vcpu: int
    cpuset: str


class CpuTune(msgspec.Struct, frozen=True, kw_only=True):
    """``<cputune>``: where vcpus run on the host."""

    pins: tuple[VcpuPin, ...] = ()


class SecurityLabel(msgspec.Struct, frozen=True, kw_only=True):
    """``<seclabel type='static' model='dac'><label>kvm1:kvm1</label></seclabel>``."""

    type: str
    model: str | None = None
    relabel: bool | None = None
    label: str | None = None


class SmbiosEntry(msgspec.Struct, frozen=True, kw_only=True):
    """``<entry name='manufacturer'>Example</entry>``."""

    name: str
    value: str = ""


class SmbiosSystem(msgspec.Struct, frozen=True, kw_only=True):
    """``<system>`` of ``<sysinfo>``: what the firmware says the machine is."""

    entries: tuple[SmbiosEntry, ...] = ()


class Sysinfo(msgspec.Struct, frozen=True, kw_only=True):
    """``<sysinfo type='smbios'>``."""

    type: str
    system: SmbiosSystem | None = None


class QemuArgument(msgspec.Struct, frozen=True, kw_only=True):
    """``<qemu:arg value='-no-hpet'/>``: one word of QEMU's command line."""

    value: str


class QemuCommandLine(msgspec.Struct, frozen=True, kw_only=True):
    """``<qemu:commandline>``: words that libvirt passes on without understanding them."""

    arguments: tuple[QemuArgument, ...] = ()


class DeviceOverride(msgspec.Struct, frozen=True, kw_only=True):
    """``<qemu:device alias='scsi0'><qemu:frontend><qemu:property name='driver' .../>``: one property.

    libvirt puts it into the device's -device, in place of what it would say itself, and taints the domain.
    """

    alias: str
    name: str
    type: str
    """string, unsigned, signed, bool; or remove, without a value."""
    value: str | None = None


class QemuOverride(msgspec.Struct, frozen=True, kw_only=True):
    """``<qemu:override>``: properties of QEMU's devices that libvirt has no words for."""

    devices: tuple[DeviceOverride, ...] = ()
