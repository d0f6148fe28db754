"""The options of the verbs about the SCSI of a host: scsi-map and vhba."""

from __future__ import annotations

import argparse

from virtxlate.cli.options import Verbs, add_verb, inner_verbs


def add_scsi_map(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Add ``scsi-map``."""
    parser = add_verb(
        verbs,
        "scsi-map",
        "scsi_map",
        "write the SCSI devices of this host, with every name of each, for a translation elsewhere",
        "virtxlate scsi-map -o node1.toml",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", default="-", help="TOML file to write; default: stdout"
    )
    parser.add_argument(
        "--root",
        metavar="DIR",
        default="/",
        help="directory with the sys and dev of the host (default: /)",
    )


def add_vhba(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Add ``vhba`` and the verbs inside it."""
    parser = add_verb(
        verbs,
        "vhba",
        "vhba",
        "describe, list, create and destroy virtual Fibre Channel adapters (NPIV), and show their LUNs",
        "virtxlate vhba xml --parent scsi_host5 | virtxlate vhba create - -c qemu:///system",
    )
    inner = inner_verbs(parser, "vhba_verb")
    xml = _vhba_verb(
        inner,
        "xml",
        "write the node device of an adapter, as virsh nodedev-create reads it",
        "virtxlate vhba xml --parent-wwnn 20000000c9831b4b --parent-wwpn 10000000c9831b4b",
    )
    _vhba_options(xml)
    pool = _vhba_verb(
        inner,
        "pool",
        "write the storage pool whose volumes are the adapter's LUNs, as virsh pool-define reads it",
        "virtxlate vhba pool luns --parent scsi_host5 --wwnn 5001a4a93526d0a1 --wwpn 5001a4ace3ee047d",
    )
    pool.add_argument("name", metavar="POOL", help="name of the pool")
    _vhba_options(pool)
    _vhba_live(inner)


def _vhba_live(inner: Verbs[argparse.ArgumentParser]) -> None:
    shown = _vhba_verb(inner, "list", "show the adapters of a host", "virtxlate vhba list -c qemu:///system")
    create = _vhba_verb(
        inner,
        "create",
        "make the adapter of a node device's XML, if it is not there yet",
        "virtxlate vhba create v.xml",
    )
    create.add_argument("file", metavar="FILE", help="node device's XML; - is stdin")
    destroy = _vhba_verb(inner, "destroy", "remove an adapter", "virtxlate vhba destroy scsi_host12")
    luns = _vhba_verb(
        inner, "luns", "show the LUNs behind an adapter", "virtxlate vhba luns scsi_host12 --format xml"
    )
    for each in (destroy, luns):
        each.add_argument("adapter", metavar="ADAPTER", help="name of the adapter, such as scsi_host12")
    for each in (create, destroy):
        each.add_argument("--dry-run", action="store_true", help="check everything, but change nothing")
    for each in (shown, create, destroy, luns):
        each.add_argument(
            "-c",
            "--connect",
            metavar="URI",
            help="libvirt connection; else LIBVIRT_DEFAULT_URI, else libvirt's default",
        )
    shown.add_argument("--format", choices=("table", "json"), default="table", help="json: a list of objects")
    luns.add_argument(
        "--format",
        choices=("table", "json", "xml"),
        default="table",
        help="json: a list of objects; xml: the disks that pass the LUNs through",
    )


def _vhba_verb(
    verbs: Verbs[argparse.ArgumentParser], name: str, help_text: str, example: str
) -> argparse.ArgumentParser:
    parser = add_verb(verbs, name, "vhba", help_text, example)
    parser.set_defaults(verb="vhba")
    return parser


def _vhba_options(parser: argparse.ArgumentParser) -> None:
    parent = parser.add_argument_group("parent, in one of three ways")
    parent.add_argument(
        "--parent", metavar="NAME", help="adapter such as scsi_host5; a reboot may renumber it"
    )
    parent.add_argument("--parent-wwnn", metavar="WWN", help="node name of the parent, with --parent-wwpn")
    parent.add_argument("--parent-wwpn", metavar="WWN", help="port name of the parent")
    parent.add_argument("--parent-fabric-wwn", metavar="WWN", help="any adapter on this fabric")
    parser.add_argument(
        "--wwnn", metavar="WWN", help="node name of the new adapter; default: libvirt makes it up"
    )
    parser.add_argument("--wwpn", metavar="WWN", help="port name of the new adapter")
