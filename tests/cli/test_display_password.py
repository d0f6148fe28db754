"""The password of a display: out of a file into libvirt's hands, and into nobody else's."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.hosts import FakeHost, door
from tests.cli.running import WEB, Cli, Result, cluster, instance_in
from virtxlate.domain.document import parse_domain
from virtxlate.domain.settings import Graphics

VNC, SPICE = "geheim42", "a ticket of more than eight characters"
LOCKED = "no password is written: nobody can connect until one is set"
OTHERWISE = "--password-file names another file, --lock-display sets no password"


def without_secrets(xml: str) -> str:
    """Give a document as libvirt shows it unless it is asked for its secrets."""
    return re.sub(r" passwd=.[^\"']*.", "", xml)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    host = FakeHost()
    host.stored = without_secrets
    monkeypatch.setitem(sys.modules, "virtxlate.live.connection", door(host, []))
    return host


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Path]:
    """Give a config whose first instance has these hvparams."""

    def write(**hvparams: Any) -> Path:
        path = tmp_path / "config.data"

        def change(data: dict[str, Any]) -> None:
            instance_in(data, WEB).update(hvparams=hvparams, network_port=11007)

        path.write_bytes(cluster(change))
        return path

    return write


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "vnc-password"
    path.write_text(f"{VNC}\n")
    return path


def vnc(source: Callable[..., Path], file: object) -> Path:
    return source(vnc_bind_address="127.0.0.1", vnc_password_file=str(file))


def spice(source: Callable[..., Path], file: object) -> Path:
    return source(spice_bind="127.0.0.1", spice_password_file=str(file))


def passwords(host: FakeHost) -> list[str | None]:
    return [each.password for each in parse_domain(host.domains[0].xml).devices.graphics]


def all_that_was_said(result: Result) -> str:
    return result.out + result.err


@pytest.mark.parametrize("verb", ["define", "start"])
def test_libvirt_gets_the_password_and_nobody_else(
    cli: Cli, host: FakeHost, source: Callable[..., Path], password_file: Path, verb: str
) -> None:
    result = cli(verb, vnc(source, password_file), WEB)
    done = "defined" if verb == "define" else "started"
    assert result == (0, f"domain '{WEB}' {done}\n", "")
    assert passwords(host) == [VNC]


def test_a_ticket_of_spice_is_set_alike(
    cli: Cli, host: FakeHost, source: Callable[..., Path], password_file: Path
) -> None:
    password_file.write_text(f"\n{SPICE}\n\n")  # Ganeti passes empty lines over
    assert cli("define", spice(source, password_file), WEB, "--strict") == (
        0,
        f"domain '{WEB}' defined\n",
        "",
    )
    assert passwords(host) == [SPICE]


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize(
    "argv",
    [
        ("translate",),
        ("translate", "--format", "json"),
        ("explain",),
        ("define", "--print-xml"),
        ("define", "--print-diff"),
        ("define", "--dry-run"),
        ("start", "--paused"),
        ("define", "--traceback"),
        ("start", "--lock-display"),
    ],
)
def test_no_verb_and_no_option_shows_it(
    cli: Cli, source: Callable[..., Path], password_file: Path, argv: tuple[str, ...]
) -> None:
    verb, *options = argv
    result = cli(verb, vnc(source, password_file), WEB, *options)
    assert result.code == 0
    assert VNC not in all_that_was_said(result)


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("verb", ["translate", "define"])
def test_a_document_that_is_printed_is_locked_and_says_so(
    cli: Cli, source: Callable[..., Path], password_file: Path, verb: str
) -> None:
    result = cli(verb, vnc(source, password_file), WEB, *(("--print-xml",) if verb == "define" else ()))
    assert 'passwd=""' in result.out
    assert LOCKED in result.error


def test_a_display_can_be_left_locked(cli: Cli, host: FakeHost, source: Callable[..., Path]) -> None:
    result = cli("define", vnc(source, "/nonexistent"), WEB, "--lock-display")
    assert (result.code, result.out) == (0, f"domain '{WEB}' defined\n")
    assert result.error == (
        f"loss: {WEB}: hvparams.vnc_password_file = '/nonexistent': {LOCKED} (host-only): "
        "virtxlate define, start: they set the one in the file"
    )
    assert passwords(host) == [""]


def test_another_file_can_be_named(
    cli: Cli, host: FakeHost, source: Callable[..., Path], password_file: Path
) -> None:
    argv = ("define", vnc(source, "/nonexistent"), WEB, "--password-file", password_file)
    assert cli(*argv) == (0, f"domain '{WEB}' defined\n", "")
    assert passwords(host) == [VNC]


@pytest.mark.usefixtures("host")
def test_a_diff_needs_no_password(cli: Cli, source: Callable[..., Path]) -> None:
    assert cli("define", vnc(source, "/nonexistent"), WEB, "--print-diff").code == 0


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize(
    "hvparams",
    [
        {"vnc_bind_address": "127.0.0.1"},
        {"vnc_bind_address": "/run/vnc", "vnc_password_file": "/a"},
        {"spice_bind": "127.0.0.1", "vnc_password_file": "/a"},
        {"vnc_password_file": "/a", "spice_password_file": "/a"},
    ],
)
def test_a_display_that_has_no_password_gets_none(
    cli: Cli, source: Callable[..., Path], password_file: Path, hvparams: dict[str, str]
) -> None:
    path = source(**hvparams)
    assert cli("define", path, WEB).code == 0
    result = cli("define", path, WEB, "--password-file", password_file)
    assert (result.code, result.error) == (
        3,
        "error: --password-file: no display of this instance has a password",
    )


VNC_LIMIT = "expected a password of at most 8 bytes for vnc, found {}; VNC looks at no more: keep those"
UNUSABLE = [
    (b"", "expected a password, found none"),
    (b"\n\n", "expected a password, found none"),
    (b"geheim\nanother\n", "expected a password in one line, found 2 lines"),
    (b"geheim\xff\n", "expected a password of UTF-8 text"),
    (b"ge\x07heim\n", "expected a password of printable characters"),
    (b"geheim4242\n", VNC_LIMIT.format(10)),
    ("gehei\u00e4\u00e4".encode(), VNC_LIMIT.format(9)),
    (b"g" * 5000, "expected a password, found more than 4096 bytes"),
]


@pytest.mark.parametrize(("data", "reason"), UNUSABLE, ids=[reason for _data, reason in UNUSABLE])
@pytest.mark.parametrize("traceback", [(), ("--traceback",)])
def test_a_file_that_cannot_be_used_is_told_without_what_is_in_it(
    cli: Cli,
    host: FakeHost,
    source: Callable[..., Path],
    password_file: Path,
    data: bytes,
    reason: str,
    traceback: tuple[str, ...],
) -> None:
    password_file.write_bytes(data)
    result = cli("define", vnc(source, password_file), WEB, *traceback)
    assert (result.code, result.out, host.calls) == (3, "", [])
    assert result.errors[-1] == f"virtxlate: error: hvparams.vnc_password_file: {password_file}: {reason}"
    assert "gehei" not in result.err
    assert "xff" not in result.err


@pytest.mark.usefixtures("host")
def test_a_ticket_that_is_too_long_is_refused(
    cli: Cli, source: Callable[..., Path], password_file: Path
) -> None:
    password_file.write_text("g" * 61)
    result = cli("define", spice(source, password_file), WEB)
    assert result.error.endswith(": expected a password of at most 60 bytes for spice, found 61")


def test_a_file_that_cannot_be_read_says_what_to_do(
    cli: Cli, host: FakeHost, source: Callable[..., Path], tmp_path: Path
) -> None:
    absent, pipe = tmp_path / "absent", tmp_path / "pipe"
    os.mkfifo(pipe)
    told = [
        cli("define", vnc(source, absent), WEB),
        cli("start", vnc(source, pipe), WEB),
        cli("define", vnc(source, "/x"), WEB, "--dry-run", "--password-file", tmp_path),
    ]
    assert [(result.code, result.error) for result in told] == [
        (3, f"error: hvparams.vnc_password_file: {absent}: No such file or directory; {OTHERWISE}"),
        (3, f"error: hvparams.vnc_password_file: {pipe}: expected a file; {OTHERWISE}"),
        (3, f"error: --password-file: {tmp_path}: expected a file; {OTHERWISE}"),
    ]
    assert host.calls == []


def test_a_password_that_libvirt_dropped_is_a_difference(
    cli: Cli, host: FakeHost, source: Callable[..., Path], password_file: Path
) -> None:
    host.secure = without_secrets
    result = cli("define", vnc(source, password_file), WEB)
    assert (result.code, result.error) == (
        6,
        "error: libvirt defined the domain, but its display has another password",
    )


def test_the_metadata_has_none(
    cli: Cli, host: FakeHost, source: Callable[..., Path], password_file: Path
) -> None:
    cli("define", vnc(source, password_file), WEB)
    metadata = parse_domain(host.domains[0].xml).metadata
    assert metadata is not None
    assert json.loads(metadata)["instance"]["hvparams"]["vnc_password_file"] == str(password_file)
    assert VNC not in metadata


def test_a_record_of_a_display_does_not_show_its_password() -> None:
    assert VNC not in repr(Graphics(type="vnc", password=VNC))
    assert repr(Graphics(type="vnc", password=VNC)).startswith("Graphics(type='vnc', port=None, ")
    assert "password='***'" in repr(Graphics(type="vnc", password=VNC))
    assert "password=''" in repr(Graphics(type="vnc", password=""))
    assert "password=None" in repr(Graphics(type="vnc"))
