"""Every case: the whole text of its domains, the way back, and what only reports can tell.

``pytest --regenerate`` writes the goldens anew. Read the difference: what nobody read proves nothing.
"""

from __future__ import annotations

import msgspec
import pytest

from tests.golden.cases import DOMAIN, GANETI, NAMES, Translation, every_translation, source, translations
from tests.golden.law import differences, uncovered
from virtxlate import Report, format_domain, parse_domain, to_domain, to_ganeti
from virtxlate.rules import validate
from virtxlate.xmlmap import Leftover

SECRETS = ("not-in-any-xml",)
"""Secret texts of the fixtures, besides the DRBD secrets."""


@pytest.mark.parametrize("name", NAMES)
def test_the_domains_of_a_case(name: str, pytestconfig: pytest.Config) -> None:
    files = {file: text for each in translations(name) for file, text in each.files.items()}
    if pytestconfig.getoption("--regenerate"):
        for file, text in files.items():
            (DOMAIN / file).write_text(text)
    found = {file: (DOMAIN / file).read_text() for file in files if (DOMAIN / file).exists()}
    assert found == files


def test_every_golden_belongs_to_a_case(pytestconfig: pytest.Config) -> None:
    expected = {file for each in every_translation() for file in each.files}
    found = {path.name for path in DOMAIN.iterdir()}
    if pytestconfig.getoption("--regenerate"):
        for file in found - expected:
            (DOMAIN / file).unlink()
        found &= expected
    assert found == expected


def test_every_context_belongs_to_a_case() -> None:
    contexts = {path.name.removesuffix(".context.toml") for path in GANETI.glob("*.toml")}
    assert contexts <= set(NAMES)


@pytest.fixture(params=every_translation(), ids=lambda each: each.stem)
def each(request: pytest.FixtureRequest) -> Translation:
    translation: Translation = request.param
    return translation


def test_a_golden_parses_to_what_was_written(each: Translation) -> None:
    leftovers: list[Leftover] = []
    domain = parse_domain((DOMAIN / f"{each.stem}.xml").read_text(), leftovers)
    assert leftovers == []
    assert domain == each.domain


def test_a_golden_satisfies_the_shipped_schema(each: Translation) -> None:
    assert validate((DOMAIN / f"{each.stem}.xml").read_bytes()) == ()


def test_with_metadata_all_comes_back(each: Translation) -> None:
    kept = to_domain(each.instance, msgspec.structs.replace(each.context, metadata=True), Report())
    report = Report()
    assert to_ganeti(parse_domain(format_domain(kept)), each.context, report) == each.placed
    assert report.losses == ()


def test_without_metadata_each_difference_is_reported(each: Translation) -> None:
    report = Report()
    bare = msgspec.structs.replace(each.domain, metadata=None)
    back = to_ganeti(parse_domain(format_domain(bare)), each.context, report)
    assert uncovered(differences(back, each.placed), report.losses) == []


def test_a_second_way_there_gives_the_same_domain(each: Translation) -> None:
    back = to_ganeti(each.domain, each.context, Report())
    if each.context.metadata:
        assert to_domain(back, each.context, Report()) == each.domain


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_of_a_case_leaves_it(name: str) -> None:
    data = (GANETI / f"{name}.json").read_bytes()
    secrets = [*SECRETS, *_drbd_secrets(msgspec.json.decode(data))]
    told = "\n".join(text for each in translations(name) for text in each.files.values())
    model = "\n".join(repr(each.instance) for each in translations(name))
    assert [secret for secret in secrets if secret in told or secret in model] == []


def _drbd_secrets(value: object) -> list[str]:
    """Give the sixth item of every logical_id that has one."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = [secret for item in items for secret in _drbd_secrets(item)]
    if isinstance(value, dict) and len(value.get("logical_id") or ()) > 5 and value["logical_id"][5]:
        found.append(value["logical_id"][5])
    return found


def test_the_secrets_that_must_not_leave_are_there() -> None:
    data = "".join((GANETI / f"{name}.json").read_text() for name in NAMES)
    assert [secret for secret in SECRETS if secret not in data] == []
    assert len(_drbd_secrets([msgspec.json.decode((GANETI / "cluster.json").read_bytes())])) == 2


def test_other_hypervisors_are_skipped_with_a_reason() -> None:
    skipped = {name: source(name).skipped for name in NAMES}
    assert skipped["cluster"] == {"xen1.example.com": "its hypervisor is xen-pvm, not kvm"}
    assert skipped["rapi-bulk"] == {
        "xen1.example.com": "its hypervisor is not kvm: no KVM hypervisor parameter is set"
    }
