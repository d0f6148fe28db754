"""The options of ``virtxlate inspect`` and ``handover``; argparse alone."""

from __future__ import annotations

import argparse

from virtxlate.cli.options import Verbs, add_verb


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
    running_options(parser)
    parser.add_argument("--json", action="store_true", help="print everything in one object")


def running_options(parser: argparse.ArgumentParser) -> None:
    """Add what says where a running QEMU and Ganeti's files of it are."""
    parser.add_argument(
        "--qmp", metavar="SOCKET", help="QMP socket of the QEMU; PROCESS may then be left out"
    )
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
