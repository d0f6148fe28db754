"""The options of ``hotplug``, ``plan`` and ``apply``; argparse alone."""

from __future__ import annotations

import argparse
import math
import re

from virtxlate.cli.options import Verbs, add_verb, inner_verbs, source_options

_MINUS = re.compile(r"-\d+(:.*)?\Z|-\d*\.\d+\Z", re.DOTALL)
"""What starts with a minus and is no option: Ganeti's ``-1:remove`` is the last device."""
_DISK_HELP = "disk: {}; several times, in order"
_NET_HELP = "NIC: {}; several times, in order"


def hotplug_verb(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Add ``hotplug`` and its own verbs."""
    parser = add_verb(
        verbs,
        "hotplug",
        "hotplug",
        "add, remove and change disks and NICs of a domain, and say where they are",
        "virtxlate hotplug modify web1 --disk add:path=/dev/xenvg/web1.disk1,size=20G --net 0:link=br1",
    )
    inner = inner_verbs(parser, "hotplug_verb")
    _devices(
        inner,
        "add",
        "add disks and NICs",
        "virtxlate hotplug add web1 --disk add:path=/dev/xenvg/web1.disk1,name=data --net add:link=br0",
        ("[[N:]add:]path=PATH[,uuid=,name=,mode=ro|rw,size=,template=]", "[[N:]add:]link=br0[,mac=,...]"),
    )
    _devices(
        inner,
        "remove",
        "remove disks and NICs; done when the guest has released them",
        "virtxlate hotplug remove web1 --disk 1 --net aa:00:00:11:22:33",
        ("Ganeti's index (-1: the last), uuid or name, alias, target or source", "the same, or its MAC"),
    )
    _devices(
        inner,
        "modify",
        "add, remove and change disks and NICs, in the order given, as gnt-instance modify does",
        "virtxlate hotplug modify web1 --net 1:mac=generate,link=br1 --net 0:state=down --disk -1:remove",
        ("[N:]add:..., WHICH:remove, or WHICH:name=,mode=,size=,path=", "the same, or 1:link=,mac=,state=up"),
    )
    _resize(inner)
    _media(inner)


def _inner(
    verbs: Verbs[argparse.ArgumentParser], name: str, help_text: str, example: str
) -> argparse.ArgumentParser:
    parser = add_verb(verbs, name, "hotplug", help_text, example)
    parser.set_defaults(verb="hotplug")
    parser.add_argument("domain", metavar="DOMAIN", help="name, uuid or id")
    return parser


def _devices(
    verbs: Verbs[argparse.ArgumentParser], name: str, help_text: str, example: str, shape: tuple[str, str]
) -> None:
    parser = _inner(verbs, name, help_text, example)
    parser._negative_number_matcher = _MINUS  # noqa: SLF001 - argparse asks nobody else what an option is
    group = parser.add_argument_group("devices")
    for option, metavar, text in (
        ("--disk", "CHANGE" if name != "remove" else "WHICH", _DISK_HELP.format(shape[0])),
        ("--net", "CHANGE" if name != "remove" else "WHICH", _NET_HELP.format(shape[1])),
        (
            "--object",
            "FILE",
            "JSON of a Ganeti disk or NIC, or of a list, as config.data has them; - is stdin",
        ),
    ):
        group.add_argument(
            option,
            dest="changes",
            metavar=metavar,
            action="append",
            type=_Named(option),
            default=[],
            help=text,
        )
    _change_options(parser)
    _runtime_option(parser)


class _Named:
    """Keeps beside a value which option it was given to, so that all of them stay in order."""

    def __init__(self, option: str) -> None:
        self._option = option

    def __call__(self, text: str) -> tuple[str, str]:
        return self._option, text


def _resize(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = _inner(
        verbs,
        "resize",
        "make a disk of a guest larger; a block device must have grown before",
        "virtxlate hotplug resize web1 0 +5G",
    )
    parser.add_argument("disk", metavar="DISK", help="Ganeti's index, uuid or name, alias, target or source")
    parser.add_argument("size", metavar="SIZE", help="whole size, 20G, or what is added, +5G")
    _change_options(parser)
    _runtime_option(parser)


def _media(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = _inner(
        verbs,
        "media",
        "change or eject the medium of a CD-ROM or floppy drive",
        "virtxlate hotplug media web1 hdc /srv/iso/debian-12.iso",
    )
    parser.add_argument("target", metavar="TARGET", help="target or alias of the drive, such as hdc")
    parser.add_argument("file", metavar="FILE", nargs="?", help="path of the image, or device, on the host")
    parser.add_argument("--eject", action="store_true", help="leave the drive empty")
    _change_options(parser)
    _runtime_option(parser)


def _change_options(parser: argparse.ArgumentParser) -> None:
    _domain_options(parser)
    group = parser.add_argument_group("changes")
    group.add_argument("--dry-run", action="store_true", help="show the steps, change nothing")
    only = group.add_mutually_exclusive_group()
    only.add_argument("--print-xml", action="store_true", help="only print the device XML of the steps")
    only.add_argument(
        "--print-diff",
        action="store_true",
        help="only print what would change, as a unified diff",
    )
    _json_option(only, "print what was done, or with --dry-run would be, as JSON")
    group.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=30.0,
        help="what the guest has to release a device (default: 30)",
    )
    group.add_argument(
        "--force",
        action="store_true",
        help="remove a boot device, or from a guest that cannot answer; shrink a disk",
    )


def _domain_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("domain")
    group.add_argument(
        "-c",
        "--connect",
        metavar="URI",
        help="libvirt connection; else LIBVIRT_DEFAULT_URI, else libvirt's default",
    )
    group.add_argument("--live", action="store_true", help="the running guest")
    group.add_argument("--config", action="store_true", help="what the next start uses")
    group.add_argument(
        "--current", action="store_true", help="the guest if it runs, else the other (default)"
    )
    group.add_argument(
        "-H",
        "--hypervisor-parameters",
        metavar="NAME=VALUE,...",
        action="append",
        default=[],
        help="hvparams that overrule what the domain tells, such as disk_type=scsi-hd",
    )


def _json_option(group: argparse._ActionsContainer, help_text: str) -> None:
    group.add_argument("--json", action="store_true", help=help_text)


def _runtime_option(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("host")
    group.add_argument(
        "--runtime", metavar="FILE", help="Ganeti's runtime file, rewritten from the live XML last"
    )
    group.add_argument(
        "--map", metavar="FILE", help="TOML file of what has another name on the domain's host"
    )
    group.add_argument(
        "--scsi-map",
        metavar="FILE",
        help="SCSI devices of that host, as scsi-map writes them, for scsi-generic; / for this host",
    )
    group.add_argument(
        "--stable-names",
        action="store_true",
        help="name a disk such as /dev/sdb by its wwn, another by-id or by-path name that the SCSI map knows",
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not math.isfinite(seconds) or seconds <= 0:
        raise argparse.ArgumentTypeError(f"expected seconds above 0, found {text!r}")
    return seconds


def plan_verbs(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Add ``plan`` and ``apply``."""
    reads = "runtime file, or directory of NAME.runtime files: its addresses win"
    for name, help_text, runtime in (
        ("plan", "show what would make a domain's disks and NICs those of its instance", reads),
        (
            "apply",
            "make a domain's disks and NICs those of its instance",
            f"{reads}; rewritten from the live XML last",
        ),
    ):
        parser = add_verb(
            verbs,
            name,
            "plan",
            help_text + ("; exit code 1 if something would" if name == "plan" else ""),
            f"virtxlate {name} /var/lib/ganeti/config.data web1.example.com -c qemu:///system",
        )
        parser.add_argument(
            "source", metavar="SOURCE", help="config.data, RAPI JSON or runtime file; - is stdin"
        )
        parser.add_argument("instance", metavar="INSTANCE", help="name or uuid")
        parser.add_argument(
            "--prune",
            action="store_true",
            help="also remove what nothing shows to be Ganeti's",
        )
        if name == "plan":
            _domain_options(parser)
            _json_option(parser, "print the plan as JSON")
        else:
            _change_options(parser)
        source_options(parser, runtime=runtime)
