"""The options of ``virtxlate validate``; argparse alone."""

from __future__ import annotations

import argparse

from virtxlate.cli.options import Verbs, add_verb

DOCUMENTS = {
    "capability": "capabilities",
    "cpu": "cpu",
    "domain": "domain",
    "domainbackup": "domainbackup",
    "domaincaps": "domainCapabilities",
    "domaincheckpoint": "domaincheckpoint",
    "domainsnapshot": "domainsnapshot",
    "interface": "interface",
    "network": "network",
    "networkport": "networkport",
    "nodedev": "device",
    "nwfilter": "filter",
    "nwfilterbinding": "filterbinding",
    "secret": "secret",
    "storagepool": "pool",
    "storagepoolcaps": "storagepoolCapabilities",
    "storagevol": "volume",
}
"""The schema names of virt-xml-validate, and the root element of each."""


def add_validate(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Add ``validate``."""
    parser = add_verb(
        verbs,
        "validate",
        "validate",
        "check libvirt's XML against a schema and the rules, and show every problem",
        "virsh dumpxml web1 | virtxlate validate -",
    )
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="XML; - is stdin. After the files the type of document may stand, as for virt-xml-validate: "
        f"{', '.join(DOCUMENTS)}",
    )
    parser.add_argument(
        "--schema",
        choices=("auto", "own", "host"),
        default="auto",
        help="own: the one that comes with virtxlate, for domains; host: that of this host's libvirt, for "
        "documents of every type, see virtxlate schema build; auto (default): own for domains, host for "
        "the others, built if need be",
    )
    _show(parser)
    parser.add_argument(
        "--against",
        choices=("libvirt",),
        help="ask a libvirt too: it defines each domain under another name and forgets it at once",
    )
    parser.add_argument("-c", "--connect", metavar="URI", help="libvirt connection, for --against")


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format",
        choices=("text", "json", "sarif"),
        default="text",
        help="json: a list with an object for each file; sarif: SARIF 2.1.0, as code scanning reads it",
    )
    parser.add_argument(
        "--explain",
        choices=("virtxlate", "xmlschema"),
        default="virtxlate",
        help="xmlschema: that library tells why the XSD of virtxlate refuses a document, which needs the "
        "extra 'explain'; the verdict is the same",
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=_count,
        default=100,
        help="show N problems of a file at most, and how many more there are (default: 100; 0: all)",
    )


def _count(text: str) -> int:
    if text.isascii() and text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number, 0 or more, found {text!r}")
