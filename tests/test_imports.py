"""Who may import whom: only downwards, the two sides never each other, libvirt through one door."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import virtxlate

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "virtxlate"
FILES = sorted(PACKAGE.rglob("*.py"))

LAYERS: dict[str, float] = {
    "virtxlate._version": 0,
    "virtxlate.errors": 0,
    "virtxlate.report": 0,
    "virtxlate.units": 0,
    "virtxlate.bijection": 1,
    "virtxlate.scsi": 1,
    "virtxlate.xmlmap": 1,
    "virtxlate.ganeti": 2,
    "virtxlate.domain": 2,
    "virtxlate.hardware": 2,
    "virtxlate.tables": 2,
    "virtxlate.schema": 3,
    "virtxlate.placement": 3,
    "virtxlate.rules": 3,
    "virtxlate.translate": 3,
    "virtxlate.live.port": 4,
    "virtxlate.hotplug": 4,
    "virtxlate.hotplug.lock": 5,
    "virtxlate.hotplug.rehearsal": 5,
    "virtxlate.hotplug.removal": 5,
    "virtxlate.hotplug.apply": 5.1,
    "virtxlate.hotplug.engine": 5.2,
    "virtxlate.hotplug.switching": 5.25,
    "virtxlate.hotplug.session": 5.3,
    "virtxlate.hotplug.facade": 5.4,
    "virtxlate.handover": 4,
    "virtxlate.handover.check": 5,
    "virtxlate.handover.look_host": 4.5,
    "virtxlate.handover.look": 5,
    "virtxlate.handover.display": 5,
    "virtxlate.handover.journal": 5.05,
    "virtxlate.handover.book": 5.07,
    "virtxlate.handover.settle": 5.05,
    "virtxlate.handover.target": 5,
    "virtxlate.handover.transfer": 5,
    "virtxlate.handover.engine": 5.1,
    "virtxlate.npiv": 5,
    "virtxlate.live.process": 4,
    "virtxlate.live.qmp": 4,
    "virtxlate.live": 6,
    "virtxlate": 6,
    "virtxlate.cli": 7,
    "virtxlate.__main__": 8,
}
"""By name, and for all below that name which is not named itself."""

WITHIN_A_LAYER = {
    ("virtxlate.report", "virtxlate.errors"),
    ("virtxlate.units", "virtxlate.errors"),
    ("virtxlate.translate", "virtxlate.placement"),
    ("virtxlate.translate", "virtxlate.rules"),
}
TABLES_MAY_IMPORT = {"virtxlate.bijection", "virtxlate.errors", "virtxlate.report", "virtxlate.tables"}
DOOR_TO_LIBVIRT = "virtxlate.live.binding"
HEAVY = ("argcomplete", "libvirt", "rich", "xmlschema")


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    """Name what a file imports, inside functions too; ``from package import module`` names the module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if is_module(inner) else str(node.module)


def is_module(name: str) -> bool:
    path = ROOT / Path(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def home_of(module: str) -> str:
    while module not in LAYERS:
        module = module.rpartition(".")[0]
    return module


CASES = [(module_of(path), target) for path in FILES for target in imports_of(path)]
OWN = sorted({case for case in CASES if case[1].partition(".")[0] == "virtxlate"})


@pytest.mark.parametrize(("module", "target"), OWN)
def test_a_module_imports_only_from_lower_layers_or_its_own_package(module: str, target: str) -> None:
    here, there = home_of(module), home_of(target)
    assert here == there or LAYERS[there] < LAYERS[here] or (here, there) in WITHIN_A_LAYER


@pytest.mark.parametrize(("one", "other"), [("ganeti", "domain"), ("domain", "ganeti")])
def test_the_two_sides_never_import_each_other(one: str, other: str) -> None:
    sides = {target for module, target in OWN if home_of(module) == f"virtxlate.{one}"}
    assert {target for target in sides if home_of(target) == f"virtxlate.{other}"} == set()
    assert not any(home_of(target) == "virtxlate.tables" for target in sides)


def test_tables_hold_rows_and_know_neither_side() -> None:
    targets = {home_of(target) for module, target in OWN if home_of(module) == "virtxlate.tables"}
    assert targets <= TABLES_MAY_IMPORT


def test_placement_knows_only_errors() -> None:
    assert {target for module, target in OWN if module == "virtxlate.placement"} == {"virtxlate.errors"}


@pytest.mark.parametrize("module", [m for m in LAYERS if LAYERS[m] == 0])
def test_the_ground_imports_nothing_but_ground(module: str) -> None:
    assert {LAYERS[home_of(target)] for here, target in OWN if here == module} <= {0}


def test_only_the_door_imports_libvirt() -> None:
    bindings = {"libvirt", "libvirt_qemu", "libvirt_lxc", "libvirtaio"}
    assert {module for module, target in CASES if target.partition(".")[0] in bindings} == {DOOR_TO_LIBVIRT}


def test_imports_inside_functions_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    path.write_text("def f():\n    import libvirt\n    from virtxlate.translate import disk\n")
    assert list(imports_of(path)) == ["libvirt", "virtxlate.translate.disk"]


def run(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, timeout=60).stdout


def test_everything_public_imports_where_optional_libraries_are_absent() -> None:
    code = f"""
import sys
for name in {HEAVY!r}:
    sys.modules[name] = None
import virtxlate
for name in virtxlate.__all__:
    getattr(virtxlate, name)
from virtxlate import *
print(len(virtxlate.__all__))
"""
    assert int(run(code)) > 0


def test_nothing_optional_is_imported_by_the_way() -> None:
    code = f"""
import sys
import virtxlate
for name in virtxlate.__all__:
    getattr(virtxlate, name)
print(sorted(name for name in sys.modules if name.partition(".")[0] in {HEAVY!r}))
"""
    assert run(code).strip() == "[]"


def test_the_package_names_what_is_public_and_nothing_else() -> None:
    assert dir(virtxlate) == sorted(virtxlate.__all__)
    with pytest.raises(AttributeError, match=r"^module 'virtxlate' has no attribute 'secrets'$"):
        # mypy, which minds an unused ignore, must miss the name too.
        virtxlate.secrets  # type: ignore[attr-defined]  # noqa: B018
