"""What a command imports before it works: as little as it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.running import CLUSTER, ROOT, WEB

SLOW = ("argcomplete", "libvirt", "lxml", "msgspec", "rich", "tomllib", "traceback", "xmlschema")


def imported(*argv: str) -> set[str]:
    """Give the names of SLOW that a command has imported."""
    code = f"""
import sys
from virtxlate.cli import main
try:
    main({list(argv)!r})
except SystemExit:
    pass
print()
print(*(name for name in {SLOW!r} if name in sys.modules))
"""
    command = [sys.executable, "-S", "-c", code] if not argv else [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    return set(done.stdout.splitlines()[-1].split())


HELPED = ("--version", "--help", "translate --help", "start --help", "hotplug add --help", "apply --help")


@pytest.mark.parametrize("argv", [each.split() for each in HELPED], ids=HELPED)
def test_what_argparse_answers_needs_argparse_alone(argv: list[str]) -> None:
    assert imported(*argv) <= {"traceback"}


def test_a_translation_imports_what_it_needs(tmp_path: object) -> None:
    assert imported("translate", str(CLUSTER), WEB, "-o", f"{tmp_path}/x.xml") <= {
        "lxml",
        "msgspec",
        "tomllib",
        "traceback",
    }


def test_showing_the_xml_needs_no_libvirt() -> None:
    assert "libvirt" not in imported("define", str(CLUSTER), WEB, "--print-xml")


def test_python_lists_the_same() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "virtxlate", "--version"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "virtxlate" in names
    assert names.isdisjoint({"lxml", "msgspec", "libvirt", "rich"})
