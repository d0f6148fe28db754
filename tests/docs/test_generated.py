"""The pages made of the code say what the code says today; ``pytest --regenerate`` writes them anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.docs import losses
from tests.docs.pages import PAGES, places
from virtxlate.ganeti.params import HvParams
from virtxlate.rules import RULES
from virtxlate.tables.params import TRANSLATED, UNTRANSLATED

ROOT = Path(__file__).parents[2]
GOLDEN_LOSSES = sorted(ROOT.glob("fixtures/domain/*.losses.json"))
ADVICE = {**losses.READING, **losses.TO_LIBVIRT, **losses.TO_GANETI}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_the_code_says(name: str, pytestconfig: pytest.Config) -> None:
    path, text = ROOT / "docs" / name, PAGES[name]()
    if pytestconfig.getoption("--regenerate"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_every_hvparam_is_in_one_of_the_two_lists() -> None:
    assert TRANSLATED | {row.name for row in UNTRANSLATED} == set(HvParams.__struct_fields__)


@pytest.mark.parametrize("name", sorted(TRANSLATED))
def test_a_carried_hvparam_has_a_place_in_the_document(name: str) -> None:
    assert places(f"hvparams.{name}")


def test_every_loss_that_the_code_reports_is_described() -> None:
    assert set(losses.stated()) == set(ADVICE)


def test_no_loss_is_described_twice() -> None:
    assert len(ADVICE) == len(losses.READING) + len(losses.TO_LIBVIRT) + len(losses.TO_GANETI)


@pytest.mark.parametrize("path", GOLDEN_LOSSES, ids=lambda path: path.name.removesuffix(".losses.json"))
def test_a_reported_loss_is_as_described(path: Path) -> None:
    for loss in json.loads(path.read_text(encoding="utf-8")):
        assert any(_fits(loss, reason) for reason in ADVICE), loss


def _fits(loss: dict[str, str], reason: str) -> bool:
    severity = losses.stated()[reason].severity
    if reason == losses.BY_PARAMETER:
        said = {row.reason: row.severity for row in UNTRANSLATED if loss["path"] == f"hvparams.{row.name}"}
        return said.get(loss["reason"]) == loss["severity"]
    if reason == losses.BY_RULE:
        is_reason = any(loss["reason"].endswith(f"; {rule.hint} [{rule.id}]") for rule in RULES)
    else:
        is_reason = losses.pattern(reason).fullmatch(loss["reason"]) is not None
    paths = ADVICE[reason].path.split(", ")
    is_path = any(losses.pattern(each).fullmatch(loss["path"]) for each in paths)
    return is_reason and is_path and severity == loss["severity"]
