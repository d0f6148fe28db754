"""The exceptions: whom each belongs to, how each reads, and how a path grows on its way up."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from virtxlate import errors
from virtxlate.errors import (
    ConnectionFailedError,
    DeviceNotFoundError,
    DomainNotFoundError,
    DomainStoppedError,
    DomainXmlError,
    GanetiDataError,
    HotplugError,
    InputError,
    InternalError,
    LibvirtMissingError,
    LiveError,
    MapError,
    NodeDeviceNotFoundError,
    OperationRefusedError,
    PlacementError,
    RemovalError,
    RemovalPendingError,
    RemovalRefusedError,
    SchemaError,
    SchemaSourceError,
    TableError,
    UnknownTermError,
    UnsupportedError,
    UsageError,
    VerificationError,
    VirtxlateError,
)

EXIT_CODES = [
    (UsageError, 2),
    (InputError, 3),
    (GanetiDataError, 3),
    (DomainXmlError, 3),
    (MapError, 3),
    (SchemaSourceError, 3),
    (SchemaError, 3),
    (UnsupportedError, 4),
    (PlacementError, 4),
    (LiveError, 5),
    (ConnectionFailedError, 5),
    (LibvirtMissingError, 5),
    (DomainNotFoundError, 5),
    (DeviceNotFoundError, 5),
    (NodeDeviceNotFoundError, 5),
    (DomainStoppedError, 5),
    (OperationRefusedError, 5),
    (HotplugError, 5),
    (VerificationError, 6),
    (RemovalError, 7),
    (RemovalPendingError, 7),
    (RemovalRefusedError, 7),
    (InternalError, 70),
    (TableError, 70),
]


def test_every_class_has_a_row() -> None:
    kinds = [kind for _name, kind in inspect.getmembers(errors, inspect.isclass)]
    rows = {kind for kind, _code in EXIT_CODES} | {VirtxlateError}
    assert {kind for kind in kinds if issubclass(kind, VirtxlateError)} == rows


@pytest.mark.parametrize(("kind", "code"), EXIT_CODES)
def test_each_belongs_to_whom_must_act(kind: type[VirtxlateError], code: int) -> None:
    assert issubclass(kind, VirtxlateError)
    assert kind.exit_code == code


def test_no_exit_code_means_success_or_differences() -> None:
    kinds = [kind for _name, kind in inspect.getmembers(errors, inspect.isclass)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, VirtxlateError)}
    assert not codes & {0, 1}


def test_every_exception_is_drawn_in_the_tree_of_the_module() -> None:
    kinds = [
        name for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)
    ]
    assert [name for name in kinds if name not in (errors.__doc__ or "")] == []


def test_python_s_own_families_are_kept() -> None:
    assert issubclass(InputError, ValueError)
    assert issubclass(DomainNotFoundError, LookupError)
    assert issubclass(DeviceNotFoundError, LookupError)
    assert issubclass(UnknownTermError, LookupError)
    assert not issubclass(UnknownTermError, VirtxlateError)


UNDER = [
    ("size", "disks[1]", "disks[1].size"),
    ("[1].size", "disks", "disks[1].size"),
    ("", "disks", "disks"),
    ("size", "", "size"),
    ("/domain", "file", "file/domain"),
]


@pytest.mark.parametrize(("at", "parent", "whole"), UNDER)
def test_each_level_adds_its_own_step(at: str, parent: str, whole: str) -> None:
    error = GanetiDataError("expected int", at=at).under(parent)
    assert type(error) is GanetiDataError
    assert (error.at, error.message, str(error)) == (whole, "expected int", f"{whole}: expected int")


def test_an_input_error_without_a_place_is_its_message() -> None:
    assert str(InputError("not JSON")) == "not JSON"


def test_an_xml_error_tells_path_and_line() -> None:
    error = DomainXmlError("expected one <os>", at="/domain/os[2]", line=7)
    assert str(error) == "/domain/os[2] (line 7): expected one <os>"
    assert error.line == 7


def test_an_xml_error_of_no_known_line_tells_the_path() -> None:
    assert str(DomainXmlError("bad", at="/domain")) == "/domain: bad"
    assert DomainXmlError("bad", at="/domain").line == 0


def test_an_xml_error_of_no_known_path_tells_the_line() -> None:
    assert str(DomainXmlError("not XML", line=3)) == "line 3: not XML"


def test_a_file_becomes_a_prefix_of_an_xml_path() -> None:
    error = DomainXmlError("bad", at="/domain/os", line=3).under("web1.xml")
    assert str(error) == "web1.xml: /domain/os (line 3): bad"
    assert error.line == 3
    assert str(DomainXmlError("not XML").under("web1.xml")) == "web1.xml: not XML"


def test_a_schema_error_holds_all_violations() -> None:
    error = SchemaError("two faults", at="/domain", violations=iter(["a", "b"]))
    assert error.violations == ("a", "b")
    assert str(error) == "/domain: two faults"


def test_an_unsupported_error_tells_where() -> None:
    report = object()
    error = UnsupportedError("no equal", at="disks[0].mode", report=report)
    assert (str(error), error.message, error.at) == ("disks[0].mode: no equal", "no equal", "disks[0].mode")
    assert error.report is report
    assert str(UnsupportedError("no equal")) == "no equal"


def test_a_placement_error_tells_bus_and_wish() -> None:
    error = PlacementError("taken", bus="pci.0", wanted="3", at="nics[0]")
    assert (str(error), error.bus, error.wanted, error.at) == ("nics[0]: taken", "pci.0", "3", "nics[0]")
    assert str(PlacementError("full", bus="pci.0")) == "full"


def test_a_verification_error_names_every_difference() -> None:
    error = VerificationError("the domain differs", differences=iter(["a", "b"]))
    assert (str(error), error.differences) == ("the domain differs: a; b", ("a", "b"))
    assert str(VerificationError("the domain differs")) == "the domain differs"


@pytest.mark.parametrize("kind", [RemovalPendingError, RemovalRefusedError])
def test_a_removal_error_tells_which_device_the_guest_still_has(kind: type[RemovalError]) -> None:
    error = kind("the guest said no", alias="ua-disk-1")
    assert isinstance(error, RemovalError)
    assert not isinstance(error, LiveError)
    assert (str(error), error.message, error.alias) == (
        "ua-disk-1: the guest said no",
        "the guest said no",
        "ua-disk-1",
    )


def test_a_live_error_tells_call_and_code() -> None:
    error = OperationRefusedError("invalid state", call="attachDevice", code=55)
    assert (str(error), error.call, error.code) == ("attachDevice: invalid state", "attachDevice", 55)
    assert str(LiveError("no daemon")) == "no daemon"


RAISED = [
    *(kind("expected int", at="disks[0].size") for kind in (InputError, GanetiDataError, MapError)),
    DomainXmlError("expected one <os>", at="/domain/os[2]", line=7).under("web1.xml"),
    SchemaError("two faults", at="/domain", violations=["a", "b"]),
    UnsupportedError("no equal", at="disks[0].mode", report="a report"),
    PlacementError("taken", bus="pci.0", wanted="3", at="nics[0]"),
    *(kind("invalid state", call="attachDevice", code=55) for kind in (LiveError, OperationRefusedError)),
    DomainNotFoundError("no such domain", call="lookup", code=42),
    VerificationError("the domain differs", differences=["a", "b"]),
    *(kind("no", alias="ua-disk-1") for kind in (RemovalError, RemovalPendingError, RemovalRefusedError)),
    TableError("a term appears in two rows"),
    UsageError("only one of FILE and DOMAIN can be stdin"),
    UnknownTermError("disk_aio", "Ganeti", "aio", ["threads", "native"]),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("carry", [lambda it: pickle.loads(pickle.dumps(it)), copy.copy, copy.deepcopy])
def test_an_error_is_carried_whole(error: Exception, carry: Callable[[Exception], Exception]) -> None:
    same = carry(error)
    assert (type(same), str(same), same.args, vars(same)) == (
        type(error),
        str(error),
        error.args,
        vars(error),
    )


def full() -> None:
    raise PlacementError("no slot is free", bus="pci.0")


def test_an_error_comes_out_of_a_worker_process() -> None:
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(PlacementError, match="no slot is free"),
    ):
        pool.submit(full).result()
