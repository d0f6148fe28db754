"""Options that several verbs have; argparse alone."""

from __future__ import annotations

import argparse

Verbs = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def add_verb(
    verbs: Verbs[argparse.ArgumentParser], name: str, module: str, help_text: str, example: str
) -> argparse.ArgumentParser:
    """Give the parser of a verb of ``virtxlate.cli.MODULE``."""
    parser = verbs.add_parser(
        name,
        help=help_text,
        description=help_text[0].upper() + help_text[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(module=module, verb=name)
    parser.register("type", None, _said)
    parser.add_argument("--traceback", action="store_true", help="show where in virtxlate an error came from")
    return parser


def inner_verbs(parser: argparse.ArgumentParser, dest: str) -> Verbs[argparse.ArgumentParser]:
    """Give the place of the verbs below a verb."""
    verbs = parser.add_subparsers(
        metavar="VERB", required=True, title="verbs", dest=dest, help="one of these"
    )
    verbs.type = str  # all that follows comes by here, and is judged by the inner verb
    return verbs


def _said(text: str) -> str:
    """Give a value as it stands; an empty one is a variable of the shell that nobody has set."""
    if not text:
        raise argparse.ArgumentTypeError("expected a value, found ''")
    return text


_RUNTIME = "runtime file, or directory of NAME.runtime files: its addresses win, the guest has seen them"


def source_options(
    parser: argparse.ArgumentParser, *, runtime: str = _RUNTIME, more: tuple[str, ...] = ()
) -> None:
    """Add what says where Ganeti's data comes from, and what for; ``runtime`` explains ``--runtime``."""
    group = parser.add_argument_group("source")
    group.add_argument(
        "--from",
        dest="form",
        choices=("config", "rapi", "runtime", *more),
        help="what SOURCE is; found out by looking at it otherwise",
    )
    group.add_argument(
        "--ganeti-version",
        metavar="X.Y",
        help="Ganeti that runs the instances: decides what differs between versions, defaults included "
        "(default: what config.data says, else 3.1)",
    )
    group.add_argument("--runtime", metavar="PATH", help=runtime)
    destination_options(parser)


def destination_options(parser: argparse.ArgumentParser) -> None:
    """Add what says for which host a domain is."""
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
        "[disks], [scripts], [secrets], [initiators], "
        "[addresses], [users], [diskparams.TEMPLATE]",
    )
    group.add_argument(
        "--scsi-map",
        metavar="FILE",
        help="SCSI devices of that host, as scsi-map writes them, for scsi-generic and stable names; / where "
        "it is this host",
    )
    group.add_argument(
        "--stable-names",
        action="store_true",
        help="name a disk such as /dev/sdb by its wwn, another by-id or by-path name that the SCSI map knows",
    )
    group.add_argument(
        "--libvirt-version",
        metavar="X.Y",
        help="libvirt that the document is for (default: the connection's, else 9.0)",
    )
    _content_options(group)


def _content_options(group: argparse._ArgumentGroup) -> None:
    """Add what says which parts of a domain are wanted."""
    group.add_argument(
        "--no-metadata", action="store_true", help="leave the Ganeti objects out of the domain"
    )
    group.add_argument(
        "--untainted",
        action="store_true",
        help="say nothing to QEMU past libvirt (qemu:override, qemu:commandline): what the guest then misses "
        "is reported",
    )
    group.add_argument("--strict", action="store_true", help="make every loss an error")
