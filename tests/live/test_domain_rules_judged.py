"""Rules of whole domains: what libvirt and QEMU do with the document that breaks one, and with the other.

No guest runs: a domain is defined, and started stopped where that is the question. A document that libvirt
refuses to define is compared with one that it defines; only the others are started.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live.test_rules_judged import verdict_of
from tests.rules.cases import Case
from tests.rules.table import IMAGES, OF_DOMAINS
from virtxlate.rules import by_id

if TYPE_CHECKING:
    from pathlib import Path

    from lab.embedded import EmbeddedLibvirt

pytestmark = pytest.mark.live

IDS = [f"{case.rule}-{number}" for number, case in enumerate(OF_DOMAINS)]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rules")
    for name in ("a.img", "b.img"):
        with (folder / name).open("wb") as file:
            file.truncate(1 << 20)
    return folder


def judged(host: EmbeddedLibvirt, xml: str, images: Path, *, start: bool = True) -> tuple[str, str]:
    return verdict_of(host, xml.replace(IMAGES, str(images)), start=start)


@pytest.mark.parametrize("case", OF_DOMAINS, ids=IDS)
def test_libvirt_does_what_the_rule_says(case: Case, libvirt_host: EmbeddedLibvirt, images: Path) -> None:
    expected = case.libvirt or by_id(case.rule).libvirt
    verdict, says = judged(libvirt_host, case.broken_document(), images)
    assert verdict == expected, says
    verdict, says = judged(libvirt_host, case.right_document(), images, start=expected == "not started")
    assert verdict == "accepted", says
