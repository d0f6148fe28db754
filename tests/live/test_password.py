"""The password of a display before a real libvirt and QEMU: whoever knows it comes in, and nobody else."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libvirt
import pytest

from lab.vnc import NO_AUTHENTICATION, VNC_AUTHENTICATION, opens, security_types
from virtxlate.cli import main
from virtxlate.domain.document import parse_domain
from virtxlate.live import connection
from virtxlate.live.connection import LibvirtHost

if TYPE_CHECKING:
    from lab.embedded import EmbeddedLibvirt

pytestmark = pytest.mark.live

NAME, UUID = "shown1.example.com", "5b1d9a54-3f1c-4a7e-9d53-1d1a5a0e7c22"
VNC, SPICE = "geheim42", "a ticket of more than eight characters"
LOOPBACK = "127.0.0.1"


@pytest.fixture
def host(libvirt_host: EmbeddedLibvirt, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The embedded driver behind the command line's door."""

    @contextmanager
    def connect(_uri: str | None, **_options: Any) -> Iterator[LibvirtHost]:
        yield LibvirtHost(libvirt_host.connection)

    monkeypatch.setattr(connection, "connect", connect)
    yield libvirt_host.connection
    libvirt_host.destroy_all()


@pytest.fixture
def port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        return int(free.getsockname()[1])


@pytest.fixture
def start(
    host: Any, tmp_path: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[Any, str]]:
    """Start an instance with these hvparams, paused; give libvirt's domain, and all that was said."""

    def started(*options: str, **hvparams: Any) -> tuple[Any, str]:
        instance = {
            "name": NAME,
            "uuid": UUID,
            "hypervisor": "kvm",
            "hvparams": {"kernel_path": "", **hvparams},
            "beparams": {"maxmem": 64, "minmem": 64},
            "network_port": port,
            "nics": [],
            "disks": [],
        }
        path = tmp_path / "config.data"
        path.write_text(json.dumps({"version": 3010000, "cluster": {}, "instances": {UUID: instance}}))
        capsys.readouterr()
        code = main(["start", str(path), NAME, "--domain-type", "qemu", "--paused", *options])
        said = "".join(capsys.readouterr())
        assert code == 0, said
        return host.lookupByName(NAME), said

    return started


def passwords(domain: Any, flags: int) -> list[str | None]:
    return [each.password for each in parse_domain(domain.XMLDesc(flags), []).devices.graphics]


def test_vnc_lets_in_who_knows_the_password_in_the_file(
    start: Callable[..., tuple[Any, str]], tmp_path: Path, port: int, libvirt_host: EmbeddedLibvirt
) -> None:
    file = tmp_path / "vnc-password"
    file.write_text(f"{VNC}\n")
    domain, said = start(vnc_bind_address=LOOPBACK, vnc_password_file=str(file))
    assert said == f"domain '{NAME}' started\n"
    assert NO_AUTHENTICATION not in security_types(port)
    assert [opens(port, word) for word in (VNC, "geheim41", "")] == [True, False, False]
    secure = libvirt.VIR_DOMAIN_XML_SECURE
    shown = [passwords(domain, flags) for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE)]
    kept = [passwords(domain, secure | flags) for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE)]
    assert (shown, kept) == ([[None], [None]], [[VNC], [VNC]])
    files = [path for path in libvirt_host.root.rglob("*") if path.is_file()]
    assert NAME in "".join(path.read_text(errors="replace") for path in files if path.suffix == ".log")
    holding = {path.name for path in files if VNC.encode() in path.read_bytes()}
    assert holding == {f"{NAME}.xml"}, "libvirt's own document, for root alone; no log and no command line"


def test_a_locked_display_lets_nobody_in(start: Callable[..., tuple[Any, str]], port: int) -> None:
    domain, said = start("--lock-display", vnc_bind_address=LOOPBACK, vnc_password_file="/nonexistent")
    assert "nobody can connect until one is set" in said
    assert security_types(port) == (VNC_AUTHENTICATION,)
    assert not opens(port, "")
    assert passwords(domain, libvirt.VIR_DOMAIN_XML_SECURE) == [""]


def test_libvirt_holds_the_ticket_of_spice(start: Callable[..., tuple[Any, str]], tmp_path: Path) -> None:
    file = tmp_path / "spice-password"
    file.write_text(SPICE)
    domain, said = start(spice_bind=LOOPBACK, spice_password_file=str(file))
    assert SPICE not in said
    assert passwords(domain, 0) == [None]
    assert passwords(domain, libvirt.VIR_DOMAIN_XML_SECURE) == [SPICE]
