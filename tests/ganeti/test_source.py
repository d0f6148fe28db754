"""Which format some bytes are, and that no bytes whatever raise anything but GanetiDataError."""

from __future__ import annotations

import pytest

from tests.golden.cases import GANETI, NAMES
from virtxlate import GanetiDataError, InputError, Report, open_source
from virtxlate.ganeti.source import _OPENERS, FORMATS, detect

DEPTH = 100_000
NOT_JSON = "not JSON: expected config.data, a RAPI answer or a runtime file"
NO_RAPI = "expected a RAPI instance, a list of them, or an info job's result"

REFUSED: list[tuple[bytes, str]] = [
    (b"", NOT_JSON),
    (b"  \n", NOT_JSON),
    (b"null", NOT_JSON),
    (b"5", NOT_JSON),
    (b'"x"', NOT_JSON),
    (b"<domain/>", NOT_JSON),
    (b"\xff\xfe{", NOT_JSON),
    (b"{", "not JSON: Input data was truncated"),
    (b"[", "not JSON: Input data was truncated"),
    (b"{}", NO_RAPI),
    (b'{"a":1}', NO_RAPI),
    (b"[1]", "[0]: expected object, got int"),
    (b"[{}]", "[0]: object missing required field name"),
    (b'{"cluster":1}', "cluster: expected object, got int"),
    (b"[[]]", "expected a list of 3 or 4 parts, found 1"),
    (b"[" * DEPTH, "nested too deep"),
    (b'{"a":' * DEPTH, "nested too deep"),
]


@pytest.mark.parametrize(("data", "message"), REFUSED, ids=range(len(REFUSED)))
def test_bytes_that_are_no_source(data: bytes, message: str) -> None:
    with pytest.raises(GanetiDataError) as caught:
        open_source(data)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", NAMES)
def test_the_data_tells_its_format(name: str) -> None:
    form = detect((GANETI / f"{name}.json").read_bytes())
    expected = name.partition("-")[0]
    assert form == (expected if expected in FORMATS else "config")


def test_a_format_can_be_forced() -> None:
    data = (GANETI / "runtime-hvinfo.json").read_bytes()
    assert list(open_source(data, "runtime").names()) == ["inst1.example.com"]
    with pytest.raises(GanetiDataError) as caught:
        open_source(data, "config")
    assert str(caught.value) == "expected object, got array"


def test_a_format_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(InputError) as caught:
        open_source(b"{}", "xen")
    assert str(caught.value) == "form: expected one of config, rapi, runtime, found 'xen'"


def test_the_formats_that_are_named_are_those_that_are_opened() -> None:
    assert tuple(_OPENERS) == FORMATS


def test_an_empty_bulk_answer_has_no_instances() -> None:
    assert list(open_source(b"[]").names()) == []


def test_white_space_before_the_data_is_no_matter() -> None:
    data = b"\n\t " + (GANETI / "cluster.json").read_bytes()
    assert len(list(open_source(data).names())) == 6


@pytest.mark.parametrize("name", ["cluster", "rapi-bulk", "rapi-info-active", "runtime-hvinfo"])
def test_any_cut_of_the_data_is_refused_or_read(name: str) -> None:
    """A file that is still being written, or a broken one, gives our error and no other."""
    data = (GANETI / f"{name}.json").read_bytes()
    for end in range(0, len(data) - 2, 97):
        with pytest.raises(GanetiDataError):
            open_source(data[:end])


@pytest.mark.parametrize(
    "name", ["version-2.7", "version-3.1", "rapi-entry", "rapi-info-active", "runtime-scsi"]
)
def test_any_value_replaced_gives_our_error_or_an_instance(name: str) -> None:
    data = (GANETI / f"{name}.json").read_bytes()
    for old in (b'"disk/0"', b"10240", b'"rw"', b"true", b"[]", b"{}", b'"kvm"', b"null", b'"bridged"'):
        for new in (b"null", b"[]", b"{}", b"-1", b'"\\u0000"', b"1e999", b"[[]]"):
            try:
                source = open_source(data.replace(old, new, 1))
                for each in source.names():
                    source.instance(each, Report())
            except GanetiDataError:
                continue


VERSIONED = [
    ("boot-network-two-nics-3.1", 3_010_000),
    ("rapi-entry", 3_010_000),
    ("runtime-hvinfo", 3_010_000),
]


@pytest.mark.parametrize(("name", "own"), VERSIONED)
def test_the_version_of_ganeti_is_that_of_the_data_or_the_given_one(name: str, own: int) -> None:
    data = (GANETI / f"{name}.json").read_bytes()
    for given, expected in ((None, own), (3_020_000, 3_020_000)):
        found = open_source(data, version=given)
        assert found.instance(next(found.names()), Report()).version == expected


def test_the_version_decides_the_defaults_that_are_not_in_the_data() -> None:
    data = (GANETI / "boot-kernel.json").read_bytes().replace(b'"vhost_net": false', b'"acpi": true')
    told = []
    for version in (3_000_000, 3_010_000):
        found = open_source(data, version=version)
        told.append(found.instance(next(found.names()), Report()).hvparams.vhost_net)
    assert told == [False, True]
