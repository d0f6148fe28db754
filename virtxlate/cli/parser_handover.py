"""The options of ``virtxlate inspect`` and ``handover``; argparse alone."""

from __future__ import annotations

import argparse

from virtxlate.cli.options import Verbs, add_verb, destination_options

_MOST = 1_000_000_000
_LONGEST_MS = 2_000_000
"""Source: QEMU 7.2, migration/migration.c (MAX_MIGRATE_DOWNTIME)."""


def add_inspect(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Add ``inspect``."""
    parser = add_verb(
        verbs,
        "inspect",
        "inspect",
        "show what a running QEMU of Ganeti says about itself: devices and places, memory, displays, taps",
        "virtxlate inspect web1.example.com",
    )
    parser.add_argument(
        "process",
        metavar="PROCESS",
        nargs="?",
        help="number of a QEMU process, or name of an instance whose files are in --ctrl-dir",
    )
    running_options(parser, also="; PROCESS may then be left out")
    parser.add_argument("--json", action="store_true", help="print everything in one object")


def running_options(parser: argparse.ArgumentParser, *, also: str = "") -> None:
    """Add what says where a running QEMU and Ganeti's files of it are; ``also``: ends its socket's help."""
    parser.add_argument("--qmp", metavar="SOCKET", help=f"QMP socket of the QEMU{also}")
    parser.add_argument(
        "--runtime",
        metavar="FILE",
        help="runtime file (default: conf/NAME.runtime of an instance in --ctrl-dir, where it is)",
    )
    parser.add_argument(
        "--ctrl-dir",
        metavar="DIR",
        default="/var/run/ganeti/kvm-hypervisor",
        help="where Ganeti keeps ctrl/, conf/, pid/ and nic/ of running instances "
        "(default: /var/run/ganeti/kvm-hypervisor)",
    )
    parser.add_argument(
        "--source",
        metavar="FILE",
        help="the cluster's data (config.data or RAPI JSON), for what the runtime file does not tell",
    )


def add_handover(verbs: Verbs[argparse.ArgumentParser]) -> None:
    """Add ``handover``."""
    parser = add_verb(
        verbs,
        "handover",
        "handover",
        "let guests that run in Ganeti's QEMU go on as libvirt domains, without a reboot",
        "virtxlate handover web1.example.com --check && virtxlate handover web1.example.com --release",
    )
    parser.add_argument("instances", metavar="INSTANCE", nargs="+", help="name of an instance of this node")
    parser.add_argument(
        "-c",
        "--connect",
        metavar="URI",
        help="libvirt connection; else LIBVIRT_DEFAULT_URI, else libvirt's default",
    )
    running_options(parser)
    what = parser.add_argument_group("what is done").add_mutually_exclusive_group()
    what.add_argument(
        "--check",
        action="store_true",
        help="only tell whether it would be safe, and what would be done; change nothing",
    )
    what.add_argument("--dry-run", action="store_true", help="the same as --check")
    what.add_argument(
        "--resume", action="store_true", help="end a handover that was cut short, forward where it may be"
    )
    what.add_argument(
        "--abort", action="store_true", help="end a handover that was cut short, back where it may be"
    )
    what.add_argument(
        "--to-ganeti",
        action="store_true",
        help="only show how the guest of a domain comes back under Ganeti; change nothing",
    )
    _transfer_options(parser)
    group = parser.add_argument_group("results")
    group.add_argument("--keep-going", action="store_true", help="go on with the next after one has failed")
    group.add_argument("--json", action="store_true", help="print the results as JSON")
    destination_options(parser)


def _transfer_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("transfer")
    group.add_argument(
        "--method",
        choices=("live", "stop"),
        default="live",
        help="live: memory is sent while the guest runs (default); stop: the guest stands still, and its "
        "memory goes through a file",
    )
    group.add_argument(
        "--downtime-limit",
        metavar="MS",
        type=_milliseconds,
        default=30,
        help="milliseconds for which the guest may stand still at the end, by QEMU's estimate (default: 30); "
        "0: memory is sent once, and what was written meanwhile while it stands still (QEMU before 8.0)",
    )
    group.add_argument(
        "--bandwidth", metavar="MIB", type=_whole, help="MiB a second (default: as fast as it goes)"
    )
    group.add_argument(
        "--timeout",
        metavar="S",
        type=_whole,
        default=600,
        help="seconds for a guest that changes its memory as fast as it is sent; then it stays where it is "
        "(default: 600)",
    )
    _host_options(parser)


def _host_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("this host")
    group.add_argument(
        "--ifup",
        metavar="SCRIPT",
        help="let Ganeti's network script, such as /usr/lib/ganeti/kvm-ifup, connect taps of routed NICs, "
        "once the old QEMU has ended",
    )
    group.add_argument(
        "--release",
        action="store_true",
        help="remove Ganeti's pid, runtime and NIC files at the end; a copy stays in --state-dir",
    )
    group.add_argument(
        "--state-dir",
        metavar="DIR",
        default="/var/lib/virtxlate/handover",
        help="where journals and the guest on its way are kept (default: /var/lib/virtxlate/handover)",
    )


def _milliseconds(text: str) -> int:
    """Read a downtime that QEMU takes."""
    if text.isascii() and text.isdecimal() and int(text) <= _LONGEST_MS:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number from 0 to {_LONGEST_MS}, found {text!r}")


def _whole(text: str) -> int:
    """Read a whole number above zero, of a size that every counter takes."""
    if text.isascii() and text.isdecimal() and 0 < int(text) < _MOST:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number above 0 and below {_MOST}, found {text!r}")
