"""``virtxlate params``: a row for every parameter, and what it says."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import Cli
from virtxlate.cli.params import rows
from virtxlate.ganeti.params import DEFAULT_NICPARAMS, HVPARAM_NAMES, BeParams
from virtxlate.tables.params import METADATA_ONLY

VNC = """\
vnc_bind_address (hvparam, default ''): translated
  QEMU: -vnc at display network_port - 5900, and a USB tablet
  XML:  /domain/devices/input
  XML:  /domain/devices/graphics
  an interface's name stands for an address that the map tells: [addresses]
"""
TLS = """\
vnc_tls (hvparam, default False): another means
  QEMU: tls-creds object of -vnc
  libvirt sets it for the whole host, and always with certificates (host-only)
  do:   in /etc/libvirt/qemu.conf: vnc_tls = 1
  only with vnc_bind_address
"""
BANDWIDTH = """\
migration_bandwidth (hvparam, default 32): another means
  QEMU: max-bandwidth of a migration, MiB/s
  belongs to the migration call, not to the domain; libvirt's own default is no limit (host-only)
  do:   virsh migrate-setspeed NAME VALUE
"""
CAPS = """\
migration_caps (hvparam, default ''): another means
  QEMU: capabilities of a migration
  belongs to the migration call, not to the domain (host-only)
  do:   virsh migrate NAME DESTINATION OPTIONS
  auto-converge: --auto-converge
  postcopy-ram: --postcopy --postcopy-after-precopy
  xbzrle: --compressed --comp-methods xbzrle
  compress: --compressed --comp-methods mt
  multifd: --parallel
  rdma-pin-all: --rdma-pin-all
  zero-copy-send: --zerocopy
  events: nothing: libvirt sets it by itself
  pause-before-switchover: nothing: libvirt sets it by itself
  return-path: nothing: libvirt sets it by itself
"""
SPICE_TLS = """\
spice_use_tls (hvparam, default False): translated
  QEMU: tls-port= and the cluster's certificate of -spice
  XML:  /domain/devices/graphics/@tlsPort
  XML:  /domain/devices/graphics/@defaultMode
  in /etc/libvirt/qemu.conf: spice_tls = 1, and spice_tls_x509_cert_dir where the certificates are
"""
SHOWN = [
    ("vnc_bind_address", VNC),
    ("vnc_tls", TLS),
    ("migration_bandwidth", BANDWIDTH),
    ("migration_caps", CAPS),
    ("spice_use_tls", SPICE_TLS),
]


@pytest.mark.parametrize(("name", "text"), SHOWN, ids=[row[0] for row in SHOWN])
def test_a_row_says_what_it_does_to_qemu_and_to_the_document(cli: Cli, name: str, text: str) -> None:
    result = cli("params", name)
    assert (result.code, result.out, result.err) == (0, text, "")


def test_every_parameter_has_a_row() -> None:
    expected = [*sorted(HVPARAM_NAMES), *BeParams.__struct_fields__, *DEFAULT_NICPARAMS]
    assert sorted(row.name for row in rows()) == sorted(expected)


def test_every_row_names_its_place_or_its_means() -> None:
    bare = [row.name for row in rows() if not row.xml and not row.reason]
    assert bare == []
    assert {row.how for row in rows()} == {"translated", "another means", "metadata"}
    told = {row.name for row in rows() if row.how == "metadata"}
    assert {name.partition(".")[2] for name in METADATA_ONLY} == told


def test_all_are_a_line_each(cli: Cli) -> None:
    lines = cli("params").out.splitlines()
    assert [line.split()[0] for line in lines] == [row.name for row in rows()]
    shown = {line.split()[0]: line for line in lines}
    assert shown["spice_use_tls"].endswith(" /domain/devices/graphics/@defaultMode")
    assert shown["vnc_tls"].endswith(" libvirt sets it for the whole host, and always with certificates")


def test_json_is_one_object_a_row(cli: Cli) -> None:
    (found,) = json.loads(cli("params", "maxmem", "--format", "json").out)
    assert found == {
        "name": "maxmem",
        "kind": "beparam",
        "default": 128,
        "how": "translated",
        "qemu": "-m",
        "xml": ["/domain/memory", "/domain/currentMemory"],
    }


def test_a_name_that_no_ganeti_has_is_an_error_with_those_near(cli: Cli) -> None:
    result = cli("params", "vnc_bind_adress")
    assert result.code == 3
    assert result.error.startswith("error: vnc_bind_adress: no parameter of a KVM instance; near: vnc_bind_")
