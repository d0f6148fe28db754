"""virtxlate.live.connection: libvirt's calls and errors, made ours."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from tests.live_door.fake_libvirt import ERRORS, FakeLibvirt, FakeVirDomain, libvirtError
from virtxlate import errors
from virtxlate.errors import (
    ConnectionFailedError,
    DeviceNotFoundError,
    DomainNotFoundError,
    LiveError,
    NodeDeviceNotFoundError,
    OperationRefusedError,
)
from virtxlate.live.port import DefinedPort, HostPort, HotplugHost, NodeDevicePort

UUID, NAME = "11111111-2222-4333-8444-555555555555", "web1.example.com"

CLASSES = {
    "VIR_ERR_NO_CONNECT": ConnectionFailedError,
    "VIR_ERR_INVALID_CONN": ConnectionFailedError,
    "VIR_ERR_AUTH_FAILED": ConnectionFailedError,
    "VIR_ERR_RPC": ConnectionFailedError,
    "VIR_ERR_NO_DOMAIN": DomainNotFoundError,
    "VIR_ERR_NO_NODE_DEVICE": NodeDeviceNotFoundError,
    "VIR_ERR_DEVICE_MISSING": DeviceNotFoundError,
    "VIR_ERR_OPERATION_INVALID": OperationRefusedError,
    "VIR_ERR_OPERATION_DENIED": OperationRefusedError,
    "VIR_ERR_OPERATION_UNSUPPORTED": OperationRefusedError,
    "VIR_ERR_NO_SUPPORT": OperationRefusedError,
    "VIR_ERR_DOM_EXIST": OperationRefusedError,
}


def test_every_number_that_has_a_class_is_looked_at(connection: ModuleType) -> None:
    found = sys.modules[connection.libvirt_errors.__module__]._ERRORS
    assert {ERRORS[name]: kind for name, kind in CLASSES.items()} == found


@pytest.mark.parametrize("code", [1, 38, 42, 99, 55])
def test_every_error_of_a_lost_connection_is_that_it_is_lost(connection: ModuleType, code: int) -> None:
    with pytest.raises(ConnectionFailedError) as caught, connection.libvirt_errors("create", lambda: False):
        raise libvirtError(code, "End of file")
    assert (caught.value.call, caught.value.code) == ("create", code)


def test_a_message_of_several_lines_becomes_one(connection: ModuleType) -> None:
    with pytest.raises(LiveError) as caught, connection.libvirt_errors("create"):
        raise libvirtError(1, "QEMU said:\n  no\n")
    assert str(caught.value) == "create: QEMU said: no (libvirt error 1)"


@pytest.mark.parametrize(("name", "kind"), CLASSES.items(), ids=CLASSES)
def test_each_error_number_has_its_class(connection: ModuleType, name: str, kind: type[LiveError]) -> None:
    with pytest.raises(LiveError) as caught, connection.libvirt_errors("create"):
        raise libvirtError(ERRORS[name], "it said no")
    error = caught.value
    assert type(error) is kind
    assert (error.call, error.code, error.exit_code) == ("create", ERRORS[name], 5)
    assert str(error) == f"create: it said no (libvirt error {ERRORS[name]})"
    assert isinstance(error.__cause__, libvirtError)


@pytest.mark.parametrize(("code", "message"), [(1, "internal"), (None, None), (9999, "new")])
def test_every_other_number_is_a_plain_error(
    connection: ModuleType, code: int | None, message: str | None
) -> None:
    with pytest.raises(LiveError) as caught, connection.libvirt_errors("create"):
        raise libvirtError(code, message)
    assert type(caught.value) is LiveError
    assert caught.value.code == (code or 0)


def test_other_exceptions_are_nobodys_business(connection: ModuleType) -> None:
    with pytest.raises(KeyError), connection.libvirt_errors("create"):
        raise KeyError


def test_every_class_of_a_refusal_ends_with_the_same_code() -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, LiveError)]
    assert {kind.exit_code for kind in kinds} == {5}


# Connections


@pytest.mark.parametrize("uri", [None, "qemu:///system", "test:///default"])
@pytest.mark.parametrize(("read_only", "call"), [(False, "open"), (True, "openReadOnly")])
def test_the_uri_is_passed_as_it_is(
    connection: ModuleType, libvirt: FakeLibvirt, uri: str | None, read_only: bool, call: str
) -> None:
    with connection.connect(uri, read_only=read_only) as host:
        assert host.version() == "9.12.3"
        assert libvirt.names()[-1] != "close"
    assert (call, uri) in libvirt.calls
    assert libvirt.names()[-1] == "close"


def test_the_event_loop_turns_before_the_connection_opens(
    connection: ModuleType, libvirt: FakeLibvirt
) -> None:
    with connection.connect(None):
        pass
    names = libvirt.names()
    assert names.index("virEventRegisterDefaultImpl") < names.index("open")
    assert names.index("registerErrorHandler") < names.index("open")


def test_the_connection_is_closed_whatever_happens(connection: ModuleType, libvirt: FakeLibvirt) -> None:
    with pytest.raises(KeyError), connection.connect(None):
        raise KeyError
    assert libvirt.names()[-1] == "close"


@pytest.mark.parametrize("code", [1, 5, 38, 45])
def test_whatever_keeps_it_from_opening_is_a_failed_connection(
    connection: ModuleType, libvirt: FakeLibvirt, code: int
) -> None:
    libvirt.fails["open"] = libvirtError(code, "Failed to connect")
    with pytest.raises(ConnectionFailedError) as caught, connection.connect("qemu:///system"):
        pass
    assert str(caught.value) == f"open: Failed to connect (libvirt error {code})"
    assert "close" not in libvirt.names()


# Domains


def host_of(connection: ModuleType, libvirt: FakeLibvirt) -> Any:
    return connection.LibvirtHost(libvirt.open(None))


def test_a_domain_is_found_by_uuid_then_by_name(connection: ModuleType, libvirt: FakeLibvirt) -> None:
    libvirt.domains = [FakeVirDomain(libvirt, "other", UUID), FakeVirDomain(libvirt, NAME, "x")]
    host: HostPort = host_of(connection, libvirt)
    by_uuid, by_name = host.find(UUID, NAME), host.find("", NAME)
    assert by_uuid is not None
    assert by_name is not None
    assert (by_uuid.name, by_name.uuid) == ("other", "x")
    assert ("lookupByUUIDString", "") not in libvirt.calls
    libvirt.domains.pop(0)
    other = host.find(UUID, NAME)
    assert other is not None
    assert other.uuid == "x"


def test_no_domain_is_none_and_any_other_failure_is_not(connection: ModuleType, libvirt: FakeLibvirt) -> None:
    host: HostPort = host_of(connection, libvirt)
    assert host.find(UUID, NAME) is None
    libvirt.fails["lookupByName"] = libvirtError(38, "gone")
    with pytest.raises(LiveError, match=r"^lookupByName: gone") as caught:
        host.find(UUID, NAME)
    assert not isinstance(caught.value, DomainNotFoundError)


def test_a_domain_is_found_as_virsh_finds_it(connection: ModuleType, libvirt: FakeLibvirt) -> None:
    libvirt.domains = [FakeVirDomain(libvirt, "7", UUID), FakeVirDomain(libvirt, NAME, "x")]
    host: HotplugHost = host_of(connection, libvirt)
    found = [host.domain(which) for which in ("2", "7", UUID, NAME, "1" * 11, "none")]
    assert [each and each.name for each in found] == [NAME, "7", "7", NAME, None, None]
    asked = [call for call in libvirt.calls if call[0].startswith("lookup")]
    assert asked == [
        ("lookupByID", 2),
        ("lookupByID", 7),
        ("lookupByName", "7"),
        ("lookupByUUIDString", UUID),
        ("lookupByName", NAME),
        ("lookupByName", "1" * 11),
        ("lookupByName", "none"),
    ]


def test_each_question_is_one_call(connection: ModuleType, libvirt: FakeLibvirt) -> None:
    domain: DefinedPort = host_of(connection, libvirt).define("<domain/>")
    assert (domain.name, domain.uuid, domain.is_active()) == ("a", "u", True)
    assert (domain.inactive_xml(), domain.live_xml()) == ("<inactive/>", "<live/>")
    assert domain.secure_xml() == "<inactive/>"
    domain.start()
    domain.start(paused=True)
    assert libvirt.calls[1:] == [
        ("defineXMLFlags", "<domain/>", 1),
        ("isActive",),
        ("XMLDesc", 2),
        ("XMLDesc", 0),
        ("XMLDesc", 3),
        ("createWithFlags", 0),
        ("createWithFlags", 1),
    ]


@pytest.mark.parametrize(
    ("call", "ask"),
    [
        ("defineXMLFlags", lambda host, _domain: host.define("<domain/>")),
        ("getLibVersion", lambda host, _domain: host.version()),
        ("getVersion", lambda host, _domain: host.emulator_version()),
        ("isActive", lambda _host, domain: domain.is_active()),
        ("XMLDesc", lambda _host, domain: domain.inactive_xml()),
        ("XMLDesc", lambda _host, domain: domain.live_xml()),
        ("XMLDesc", lambda _host, domain: domain.secure_xml()),
        ("createWithFlags", lambda _host, domain: domain.start()),
    ],
)
def test_every_refusal_names_its_call(
    connection: ModuleType, libvirt: FakeLibvirt, call: str, ask: Any
) -> None:
    host = host_of(connection, libvirt)
    domain = host.define("<domain/>")
    libvirt.fails[call] = libvirtError(55, "not now")
    with pytest.raises(OperationRefusedError) as caught:
        ask(host, domain)
    # virsh users know create, the flags are ours.
    assert (
        str(caught.value) == f"{'create' if call == 'createWithFlags' else call}: not now (libvirt error 55)"
    )


URIS = {
    "qemu:///system": True,
    "qemu:///embed?root=/x": True,
    "qemu+unix:///system?socket=/x": True,
    "qemu+ssh://root@node2/system": False,
    "qemu+tls://node2.example.com:16514/system": False,
    "qemu+tcp://[2001:db8::1]/system": False,
}


@pytest.mark.parametrize("uri", URIS)
def test_a_uri_without_a_machine_is_this_one(connection: ModuleType, libvirt: FakeLibvirt, uri: str) -> None:
    libvirt.uri = uri
    with connection.connect(None) as host:
        assert host.is_local() is URIS[uri]


# Node devices


def test_node_devices_are_given_as_xml_but_those_that_have_gone(
    connection: ModuleType, libvirt: FakeLibvirt
) -> None:
    libvirt.node_devices = {"scsi_host1": "<device/>", "scsi_host2": "<device><name/></device>"}
    with connection.connect(None) as host:
        port: NodeDevicePort = host.host_devices()
        assert port.node_devices("fc_host") == ("<device/>", "<device><name/></device>")
    assert ("listDevices", "fc_host", 0) in libvirt.calls


def test_a_node_device_is_made_and_removed(connection: ModuleType, libvirt: FakeLibvirt) -> None:
    libvirt.node_devices = {"scsi_host12": "<device/>"}
    with connection.connect(None) as host:
        port: NodeDevicePort = host.host_devices()
        assert port.create_node_device("<device/>") == "scsi_host12"
        port.destroy_node_device("scsi_host12")
        with pytest.raises(NodeDeviceNotFoundError, match="no node device scsi_host13"):
            port.destroy_node_device("scsi_host13")
    assert ("nodeDeviceCreateXML", "<device/>", 0) in libvirt.calls
    assert ("destroy", "scsi_host12") in libvirt.calls
