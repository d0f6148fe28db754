"""The options of every verb; argparse alone."""

from __future__ import annotations

import argparse

from virtxlate._version import __version__
from virtxlate.cli.options import Verbs, add_verb, inner_verbs, source_options
from virtxlate.cli.parser_handover import add_handover, add_inspect
from virtxlate.cli.parser_hotplug import hotplug_verb, plan_verbs
from virtxlate.cli.parser_schema import add_schema
from virtxlate.cli.parser_validate import add_validate
from virtxlate.cli.scsi_options import add_scsi_map, add_vhba

_EXIT_CODES = """\
exit codes:
  0   done
  1   violations or differences were found
  2   the command was called wrongly
  3   the input cannot be used; the message says where
  4   valid, but libvirt has no equal, or a bus is full
  5   libvirt refused, or there is no connection
  6   libvirt said yes, but its own XML says no
  7   the guest has not released a device, or refused to
  70  a bug of virtxlate
"""


def build_parser() -> argparse.ArgumentParser:
    """Give the parser of ``virtxlate``."""
    parser = argparse.ArgumentParser(
        prog="virtxlate",
        description="Ganeti KVM instances as libvirt domains, and back.",
        epilog=f"{_EXIT_CODES}\nexample:\n  virtxlate translate /var/lib/ganeti/config.data web1.example.com",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"virtxlate {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True, title="verbs")
    _translate(verbs)
    add_validate(verbs)
    _rules(verbs)
    add_schema(verbs)
    _explain(verbs)
    _abi(verbs)
    _hvinfo(verbs)
    _params(verbs)
    _runtime(verbs)
    add_inspect(verbs)
    add_scsi_map(verbs)
    add_vhba(verbs)
    _define(verbs, "define", "define the domain of an instance in libvirt", "virsh dumpxml --inactive")
    _define(
        verbs, "start", "start an instance as a libvirt domain, defined first if need be", "virsh dumpxml"
    )
    hotplug_verb(verbs)
    plan_verbs(verbs)
    add_handover(verbs)
    return parser


def _translate(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "translate",
        "translate",
        "write the domain XML of instances",
        "virtxlate translate /var/lib/ganeti/config.data --output-dir domains --report losses.json",
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="config.data, RAPI JSON, runtime file or QMP socket; - is stdin"
    )
    parser.add_argument("instances", metavar="INSTANCE", nargs="*", help="name or uuid; none: all of them")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("-o", "--output", metavar="FILE", help="write one domain to FILE; - is stdout")
    output.add_argument("--output-dir", metavar="DIR", help="write INSTANCE.xml for each instance to DIR")
    parser.add_argument(
        "--report", metavar="FILE", help="write losses, skipped and failed instances as JSON; - is stdout"
    )
    parser.add_argument(
        "--format",
        choices=("xml", "json"),
        default="xml",
        help="json: instance, xml and losses in one object",
    )
    source_options(parser, more=("qmp",))


def _params(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "params",
        "params",
        "show what becomes of Ganeti's parameters, in XML and for QEMU",
        "virtxlate params vnc_bind_address",
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="hvparam, beparam or nicparam; none: all")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="json: a list with an object for each"
    )


def _rules(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "rules",
        "rules",
        "list the rules that validate checks beside the schema, or explain one",
        "virtxlate rules lun-cache",
    )
    parser.add_argument("id", metavar="ID", nargs="?", help="id of a rule, as validate shows it; none: all")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="json: a list with an object for each rule"
    )


def _explain(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "explain",
        "explain",
        "show for every element and attribute the Ganeti field that caused it",
        "virtxlate explain /var/lib/ganeti/config.data web1.example.com",
    )
    parser.add_argument("source", metavar="SOURCE", help="config.data, RAPI JSON or runtime file; - is stdin")
    parser.add_argument("instance", metavar="INSTANCE", help="name or uuid")
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="json: instance, explanations and losses in one object",
    )
    source_options(parser)


def _abi(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "abi",
        "abi",
        "show what a guest will see otherwise under libvirt; exit code 1 if there is something",
        "virtxlate abi /var/lib/ganeti/config.data web1.example.com",
    )
    parser.add_argument("source", metavar="SOURCE", help="config.data, RAPI JSON or runtime file; - is stdin")
    parser.add_argument("instance", metavar="INSTANCE", help="name or uuid")
    parser.add_argument("--all", action="store_true", help="show what only QEMU or the firmware sees, too")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="json: instance and differences"
    )
    source_options(parser)


def _hvinfo(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "hvinfo",
        "hvinfo",
        "show where QEMU has every disk and NIC of a domain, from its live XML alone",
        "virsh dumpxml web1 | virtxlate hvinfo -",
    )
    parser.add_argument(
        "domain",
        metavar="DOMAIN",
        nargs="?",
        default="-",
        help="name or uuid, a file of live XML, or - for stdin (default)",
    )
    parser.add_argument("-c", "--connect", metavar="URI", help="libvirt connection; then DOMAIN is no file")
    parser.add_argument(
        "--format",
        choices=("table", "json", "runtime"),
        default="table",
        help="json: a list of objects; runtime: NICs and disks as a runtime file has them",
    )
    parser.add_argument(
        "--dialect",
        choices=("libvirt", "ganeti"),
        default="libvirt",
        help="QEMU's own words under libvirt (default), or those of Ganeti's runtime file",
    )
    parser.add_argument(
        "--libvirt-version", metavar="X.Y", help="libvirt that wrote the XML: names the drive (default: 9.0)"
    )


def _runtime(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = add_verb(
        verbs,
        "runtime",
        "runtime",
        "show, upgrade, downgrade, write and check Ganeti's runtime files",
        "virtxlate runtime show /var/run/ganeti/kvm-hypervisor/conf/web1.example.com.runtime",
    )
    inner = inner_verbs(parser, "runtime_verb")
    show = _runtime_verb(inner, "show", "show a file of any form", "virtxlate runtime show web1.runtime")
    show.add_argument(
        "--format", choices=("table", "json"), default="table", help="json: the same in one object"
    )
    _runtime_forms(inner)
    _runtime_write(inner)
    check = _runtime_verb(
        inner,
        "check",
        "compare a file with the running domain, device by device; exit code 1 if they differ",
        "virsh dumpxml web1 | virtxlate runtime check web1.runtime -",
    )
    _live_domain(check)
    check.add_argument(
        "--format", choices=("text", "json"), default="text", help="json: a list with an object a difference"
    )


def _runtime_forms(inner: Verbs[argparse.ArgumentParser]) -> None:
    upgrade = _runtime_verb(
        inner,
        "upgrade",
        "bring a file into today's form, as Ganeti itself does when it loads it",
        "virtxlate runtime upgrade web1.runtime --in-place",
    )
    output = upgrade.add_mutually_exclusive_group()
    output.add_argument("-o", "--output", metavar="OUT", help="runtime file to write; default: stdout")
    output.add_argument("--in-place", action="store_true", help="replace FILE, and keep its mode and owner")
    downgrade = _runtime_verb(
        inner,
        "downgrade",
        "bring a file into the form that an older Ganeti reads; what that cannot keep is reported",
        "virtxlate runtime downgrade web1.runtime --to 2.15 -o web1.old.runtime",
    )
    downgrade.add_argument(
        "--to", choices=("2.9", "2.15", "3.0", "3.1"), required=True, help="Ganeti version"
    )
    downgrade.add_argument("-o", "--output", metavar="OUT", help="runtime file to write; default: stdout")
    downgrade.add_argument("--strict", action="store_true", help="make every loss an error")


def _runtime_verb(
    verbs: Verbs[argparse.ArgumentParser], name: str, help_text: str, example: str
) -> argparse.ArgumentParser:
    parser = add_verb(verbs, name, "runtime", help_text, example)
    parser.set_defaults(verb="runtime")
    if name != "write":
        parser.add_argument("file", metavar="FILE", help="runtime file; - is stdin")
    return parser


def _live_domain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", metavar="DOMAIN", help="name or uuid, a file of live XML, or - for stdin")
    parser.add_argument("-c", "--connect", metavar="URI", help="libvirt connection; then DOMAIN is no file")
    parser.add_argument(
        "--map", metavar="FILE", help="TOML file of what has another name on the domain's host"
    )
    parser.add_argument(
        "--scsi-map",
        metavar="FILE",
        help="SCSI devices of that host, as scsi-map writes them; / for this host",
    )


def _runtime_write(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = _runtime_verb(
        verbs,
        "write",
        "write the file of a running domain from its live XML",
        "virtxlate runtime write web1 -c qemu:///system --base web1.runtime -o web1.runtime",
    )
    _live_domain(parser)
    parser.add_argument("--base", metavar="FILE", help="runtime file whose command line stays")
    parser.add_argument(
        "--source",
        nargs=2,
        metavar=("SOURCE", "INSTANCE"),
        help="Ganeti data (config.data, RAPI JSON) that tells what the domain does not",
    )
    parser.add_argument(
        "--ganeti-version",
        choices=("3.0", "3.1", "3.2"),
        help="Ganeti whose command line is made (default: the instance's own, else 3.1)",
    )
    parser.add_argument("-o", "--output", metavar="OUT", help="runtime file to write; default: stdout")
    parser.add_argument("--strict", action="store_true", help="make every loss an error")


def _define(verbs: Verbs[argparse.ArgumentParser], name: str, help_text: str, after: str) -> None:
    example = f"virtxlate {name} config.data web1.example.com -c qemu:///system && {after} web1.example.com"
    parser = add_verb(verbs, name, "define", help_text, example)
    parser.add_argument("source", metavar="SOURCE", help="config.data, RAPI JSON or runtime file; - is stdin")
    parser.add_argument("instance", metavar="INSTANCE", help="name or uuid")
    parser.add_argument(
        "-c",
        "--connect",
        metavar="URI",
        help="libvirt connection; else LIBVIRT_DEFAULT_URI, else libvirt's default",
    )
    parser.add_argument("--dry-run", action="store_true", help="do everything but change something")
    show = parser.add_mutually_exclusive_group()
    show.add_argument("--print-xml", action="store_true", help="only print the domain XML")
    show.add_argument(
        "--print-diff",
        action="store_true",
        help="only print what a definition would change, as a unified diff; what libvirt added by itself to "
        "the domain that is defined is left out, so that no output means no change",
    )
    password = parser.add_mutually_exclusive_group()
    password.add_argument(
        "--password-file",
        metavar="FILE",
        help="file with the password of the display (default: what vnc_password_file or spice_password_file "
        "names); libvirt alone gets it",
    )
    password.add_argument(
        "--lock-display", action="store_true", help="set no password: nobody can connect until one is set"
    )
    if name == "start":
        parser.add_argument("--paused", action="store_true", help="leave the guest paused")
    source_options(parser)
