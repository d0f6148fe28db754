"""The options of every verb; argparse alone."""

from __future__ import annotations

import argparse

from virtxlate._version import __version__

_EXIT_CODES = """\
exit codes:
  0   done
  1   violations or differences were found
  2   the command was called wrongly
  3   the input cannot be used; the message says where
  4   valid, but libvirt has no equal, or a bus is full
  5   libvirt refused, or there is no connection
  6   libvirt said yes, but its own XML says no
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
    _validate(verbs)
    _schema(verbs)
    _explain(verbs)
    _hvinfo(verbs)
    _runtime(verbs)
    _define(verbs, "define", "define the domain of an instance in libvirt", "virsh dumpxml --inactive")
    _define(
        verbs, "start", "start an instance as a libvirt domain, defined first if need be", "virsh dumpxml"
    )
    return parser


_Verbs = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def _verb(
    verbs: _Verbs[argparse.ArgumentParser], name: str, module: str, help_text: str, example: str
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(
        name,
        help=help_text,
        description=help_text[0].upper() + help_text[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(module=module, verb=name)
    parser.add_argument("--traceback", action="store_true", help="show where in virtxlate an error came from")
    return parser


def _source_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("source")
    group.add_argument(
        "--from",
        dest="form",
        choices=("config", "rapi", "runtime"),
        help="what SOURCE is; found out by looking at it otherwise",
    )
    group.add_argument(
        "--runtime",
        metavar="PATH",
        help="runtime file, or directory of NAME.runtime files: its addresses win, the guest has seen them",
    )
    _destination_options(parser)


def _destination_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("destination host")
    group.add_argument(
        "--domain-type", choices=("kvm", "qemu"), default="kvm", help="kvm (default), or qemu to emulate"
    )
    group.add_argument(
        "--disk-paths",
        choices=("device", "link"),
        default="device",
        help="the real device (default), or Ganeti's link in /var/run/ganeti/instance-disks",
    )
    group.add_argument(
        "--map",
        metavar="FILE",
        help="TOML file of what has another name there: [bridges], [switches], [networks], [paths], [pools], "
        "[disks], [scripts], [secrets], [diskparams.TEMPLATE]",
    )
    group.add_argument(
        "--libvirt-version",
        metavar="X.Y",
        help="libvirt that the document is for (default: the connection's, else 9.0)",
    )
    group.add_argument(
        "--no-metadata", action="store_true", help="leave the Ganeti objects out of the domain"
    )
    group.add_argument("--strict", action="store_true", help="make every loss an error")


def _translate(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "translate",
        "translate",
        "write the domain XML of instances",
        "virtxlate translate /var/lib/ganeti/config.data --output-dir domains --report losses.json",
    )
    parser.add_argument("source", metavar="SOURCE", help="config.data, RAPI JSON or runtime file; - is stdin")
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
    _source_options(parser)


def _validate(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "validate",
        "validate",
        "check domain XML against the schema, and show every problem",
        "virsh dumpxml web1 | virtxlate validate -",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="domain XML; - is stdin")
    parser.add_argument(
        "--schema",
        choices=("own", "host"),
        default="own",
        help="own (default): the one that comes with virtxlate; host: that of this host's libvirt, for "
        "documents of every type; see virtxlate schema build",
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="json: a list with an object for each file"
    )


def _schema(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "schema",
        "schema",
        "make XSD and rules of the RELAX NG that this host's libvirt installed",
        "virtxlate schema build && virtxlate schema show disk",
    )
    inner = parser.add_subparsers(
        metavar="VERB", required=True, title="verbs", dest="schema_verb", help="one of these"
    )
    build = _schema_verb(
        inner,
        "build",
        "build the schema into the cache, unless it is there, and use it from now on",
        "virtxlate schema build --from /usr/share/libvirt/schemas",
    )
    build.add_argument(
        "--from",
        dest="source",
        metavar="DIR",
        help="folder with libvirt's *.rng (default: /usr/share/libvirt/schemas)",
    )
    _schema_queries(inner)


def _schema_queries(inner: _Verbs[argparse.ArgumentParser]) -> None:
    show = _schema_verb(
        inner,
        "show",
        "show the document types, or the rules beside the XSD of one of them",
        "virtxlate schema show disk",
    )
    show.add_argument("element", metavar="ELEMENT", nargs="?", help="only the rules of elements of this name")
    show.add_argument(
        "--document", metavar="NAME", help="document type, or its root element (default: domain)"
    )
    path = _schema_verb(
        inner,
        "path",
        "print the file name of an XSD, for other programs",
        'xmllint --noout --schema "$(virtxlate schema path domain)" web1.xml',
    )
    path.add_argument(
        "document", metavar="NAME", nargs="?", help="document type, or its root element; none: the folder"
    )


def _schema_verb(
    verbs: _Verbs[argparse.ArgumentParser], name: str, help_text: str, example: str
) -> argparse.ArgumentParser:
    parser = _verb(verbs, name, "schema", help_text, example)
    parser.set_defaults(verb="schema")
    return parser


def _explain(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    parser = _verb(
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
    _source_options(parser)


def _hvinfo(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    parser = _verb(
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


def _runtime(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    parser = _verb(
        verbs,
        "runtime",
        "runtime",
        "show, upgrade, downgrade, write and check Ganeti's runtime files",
        "virtxlate runtime show /var/run/ganeti/kvm-hypervisor/conf/web1.example.com.runtime",
    )
    inner = parser.add_subparsers(
        metavar="VERB", required=True, title="verbs", dest="runtime_verb", help="one of these"
    )
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


def _runtime_forms(inner: _Verbs[argparse.ArgumentParser]) -> None:
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
    verbs: _Verbs[argparse.ArgumentParser], name: str, help_text: str, example: str
) -> argparse.ArgumentParser:
    parser = _verb(verbs, name, "runtime", help_text, example)
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


def _runtime_write(verbs: _Verbs[argparse.ArgumentParser]) -> None:
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


def _define(verbs: _Verbs[argparse.ArgumentParser], name: str, help_text: str, after: str) -> None:
    example = f"virtxlate {name} config.data web1.example.com -c qemu:///system && {after} web1.example.com"
    parser = _verb(verbs, name, "define", help_text, example)
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
    if name == "start":
        parser.add_argument("--paused", action="store_true", help="leave the guest paused")
    _source_options(parser)
