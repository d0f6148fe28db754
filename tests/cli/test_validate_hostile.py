"""Files that mean to do harm, or are no XML: one short line for each fault, exit code 1, in bounded time."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest

from tests.cli.running import Cli

OPEN = "<domain type='kvm'><name>a</name><os><type>hvm</type></os><devices>"
CLOSE = "</devices></domain>"
LEVELS = "".join(
    f'<!ENTITY {name} "{10 * ("&" + before + ";")}">'
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)
BOMB = f'<!DOCTYPE domain [<!ENTITY a "aaaaaaaaaa">{LEVELS}]><domain><name>&h;</name></domain>'
OUTSIDE = '<!DOCTYPE domain [<!ENTITY x SYSTEM "file:///etc/passwd">]><domain><name>&x;</name></domain>'
NO_XML: dict[str, str | bytes] = {
    "entities that multiply": BOMB,
    "an entity of another file": OUTSIDE,
    "elements too deep": f"{OPEN}{'<disk>' * 100_000}",
    "a NUL": f"{OPEN}\0{CLOSE}",
    "a NUL by its number": f"{OPEN}&#0;{CLOSE}",
    "a name of a megabyte": f"{OPEN}<{'a' * 1_000_000}/>{CLOSE}",
    "bytes of another encoding": b"<?xml version='1.0' encoding='utf-8'?><domain>\xff\xfe</domain>",
    "an encoding that there is not": b"<?xml version='1.0' encoding='x-none'?><domain/>",
    "nothing": b"",
}
DISK = "<disk type='x'><target bus='y'/></disk>"
RNG = (
    "<rng model='virtio'><backend model='random'>/dev/urandom</backend>"
    "<address type='pci' slot='3' target='0'/></rng>"
)
ATTRIBUTES = " ".join(f"a{number}='1'" for number in range(40_000))
FAULTS = {
    "a fault in each of many devices": DISK * 10_000,
    "a broken rule in each of many devices": RNG * 9_000,
    "many unknown elements": "<a/>" * 200_000,
    "many unknown attributes": f"<disk {ATTRIBUTES}/>",
    "a value of a megabyte": f"<disk type='{'x' * 1_000_000}'/>",
    "a text of nine megabytes": "x" * 9_000_000,
}
LONGEST_LINE = 2_000
SECONDS = 60


def judged(cli: Cli, path: Path, data: str | bytes) -> list[str]:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    started = perf_counter()
    result = cli("validate", path)
    assert perf_counter() - started < SECONDS
    assert (result.code, result.err) == (1, "")
    lines = result.out.splitlines()
    assert lines[-1] == f"{path} fails to validate"
    assert max(map(len, lines)) < LONGEST_LINE
    return lines[:-1]


@pytest.mark.parametrize("name", NO_XML)
def test_what_is_no_xml_is_one_line(cli: Cli, tmp_path: Path, name: str) -> None:
    (line,) = judged(cli, tmp_path / "x.xml", NO_XML[name])
    assert line.endswith(" [malformed]")
    assert "root:" not in line


@pytest.mark.parametrize("name", FAULTS)
def test_so_many_faults_are_shown(cli: Cli, tmp_path: Path, name: str) -> None:
    lines = judged(cli, tmp_path / "x.xml", f"{OPEN}{FAULTS[name]}{CLOSE}")
    assert 1 <= len(lines) <= 101
    assert len(lines) <= 100 or lines[-1].endswith("more problems, not shown; --limit 0 shows all")


def test_a_device_without_an_end_is_no_document(cli: Cli) -> None:
    assert cli("validate", "/dev/zero").out.splitlines() == [
        "/dev/zero:0: /: larger than 64 MiB; no document of libvirt's is [malformed]",
        "/dev/zero fails to validate",
    ]


def test_a_document_in_utf_16_is_read(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_bytes(f"{OPEN}{CLOSE}".encode("utf-16"))
    assert cli("validate", path) == (0, f"{path} validates\n", "")
