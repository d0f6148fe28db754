"""A corpus of instances that another Ganeti started, given by ``--corpus DIR``.

``cases-config.json`` is a config.data; ``cases-expected.json`` holds, by instance name, ``case`` (a label),
``hvinfo`` and ``error``. Any other JSON file in it is data of Ganeti's that has to be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from lab.newer_ganeti import VERSION, command_of
from tests.oracle.differences import CORPUS_ACCEPTED, CORPUS_REFUSED
from virtxlate import Context, Report, VirtxlateError, open_source, place, to_domain
from virtxlate.ganeti.command import build_command
from virtxlate.ganeti.model import Instance
from virtxlate.ganeti.source import Source

pytestmark = pytest.mark.oracle


PLACES = {
    "machine q35": "the alpha puts all on pci.0, which a q35 has not; later code has root ports",
    "scsi 16 disks": "an lsi has room for seven: the others stand on more of its kind, which is reported",
}
"""Cases whose hvinfo is not ours, with the reason."""
COMMANDS = {
    "vnc iface lo": "the address of an interface is the node's to tell, which is reported",
    "spice iface": "the address of an interface is the node's to tell, which is reported",
    "machine default": "the node's default machine is the node's to tell, which is reported",
    "machine q35": "the alpha gives it the command of a pc, which QEMU refuses; later code has root ports",
    "paused": "a start that stays paused is asked for from outside the instance",
}
"""Cases whose stored command is not ours, with the reason."""


class Case(NamedTuple):
    """One instance: its label, what Ganeti made of it, and what we do."""

    instance: Instance
    label: str
    expected: dict[str, Any]
    hvinfo: dict[str, Any] | None
    refusal: str | None


@pytest.fixture(scope="module")
def corpus(pytestconfig: pytest.Config) -> Path:
    directory: Path = pytestconfig.getoption("--corpus")
    return directory


@pytest.fixture(scope="module")
def cases(corpus: Path) -> list[Case]:
    source = open_source((corpus / "cases-config.json").read_bytes())
    expected = json.loads((corpus / "cases-expected.json").read_text())
    assert set(source.names()) == set(expected)
    return [case(source, name, each) for name, each in expected.items()]


def case(source: Source, name: str, expected: dict[str, Any]) -> Case:
    instance = source.instance(name, Report())
    try:
        to_domain(instance, Context(), Report())
    except VirtxlateError as refusal:
        return Case(instance, expected["case"], expected, None, str(refusal))
    placed = place(instance)
    hvinfo = {"disks": [d.hvinfo for d in placed.disks], "nics": [n.hvinfo for n in placed.nics]}
    return Case(instance, expected["case"], expected, msgspec.to_builtins(hvinfo), None)


def test_hvinfo_is_ganetis(cases: list[Case]) -> None:
    both = [case for case in cases if case.expected["error"] is None and case.refusal is None]
    assert len(both) > 100
    for each in both:
        if each.label not in PLACES:
            assert each.hvinfo == each.expected["hvinfo"], each.label


def test_the_stored_command_is_ganetis(cases: list[Case]) -> None:
    different = set()
    for each in cases:
        if each.expected["stored"] is not None:
            options = grouped(map(str, build_command(each.instance, Report(), VERSION)[1:]))
            if options != without_names(each.expected["stored"]):
                different.add(each.label)
    assert different == set(COMMANDS)


def test_the_labs_own_disks_and_nics_are_ganetis(cases: list[Case]) -> None:
    """`lab.newer_ganeti` starts what Ganeti would; what it leaves out (vhost, queues) is not among these."""
    compared = 0
    for each in cases:
        if each.expected["cmd"] is None or each.label in COMMANDS or "mq=on" in str(each.expected["cmd"]):
            continue
        said = [word for word in each.expected["cmd"] if _OF_DEVICES.match(word)]
        made = [word for word in grouped(command_of(each.instance)[1:]) if _OF_DEVICES.match(word)]
        assert sorted(made) == sorted(said), each.label
        compared += 1
    assert compared > 100


_OF_DEVICES = re.compile(r"-device (?:\S+,id=(?:disk|nic)-|ide-hd)")
_NAMES = re.compile(r"(?<=-uuid )\S+|(?<=[ /])(?:inst1|c[0-9]{3})\.example\.com")


def grouped(words: Iterable[str]) -> list[str]:
    """Give one text an option, without the names of the instance."""
    groups: list[list[str]] = []
    for word in words:
        if word.startswith("-") or not groups:
            groups.append([])
        groups[-1].append(word)
    return without_names(" ".join(group) for group in groups)


def without_names(options: Iterable[str]) -> list[str]:
    """Give options with the same name in each: every case has been recorded under one."""
    return [_NAMES.sub("NAME", option) for option in options]


def test_what_only_we_refuse_is_listed(cases: list[Case]) -> None:
    refused = {each.label for each in cases if each.expected["error"] is None and each.refusal is not None}
    assert refused == set(CORPUS_REFUSED)


def test_what_only_ganeti_refuses_is_listed(cases: list[Case]) -> None:
    accepted = {each.label for each in cases if each.expected["error"] is not None and each.refusal is None}
    assert accepted == set(CORPUS_ACCEPTED)


def test_other_clusters_are_read_as_they_are_and_as_kvm(corpus: Path) -> None:
    for path in sorted(corpus.glob("cluster_config_*.json")):
        data = path.read_bytes()
        assert list(open_source(data).names()) == []
        # Ganeti's own test clusters run Xen only
        source = open_source(data.replace(b'"xen-pvm"', b'"kvm"'))
        names = list(source.names())
        assert len(names) == 3
        for name in names:
            to_domain(source.instance(name, Report()), Context(), Report())


def test_remote_answers_are_read(corpus: Path) -> None:
    for path in sorted(corpus.glob("rapi-*.json")):
        source = open_source(path.read_bytes())
        assert len(list(source.names())) + len(source.skipped) == len(json.loads(path.read_text()))


def test_runtime_files_are_read(corpus: Path) -> None:
    for path in sorted(corpus.glob("*runtime*.json")):
        source = open_source(path.read_bytes())
        (name,) = source.names()
        to_domain(source.instance(name, Report()), Context(), Report())


def test_serialised_devices_are_read_as_parts_of_a_runtime_file(corpus: Path) -> None:
    command = ["kvm", "-name", "inst1.example.com", "-m", 128, "-smp", "1"]
    for path in sorted(corpus.glob("serialized_*.json")):
        part = json.loads(path.read_text())
        is_disks = isinstance(part[0], list)
        runtime = [command, [] if is_disks else part, {}, part if is_disks else []]
        instance = open_source(json.dumps(runtime).encode()).instance("inst1.example.com", Report())
        read = instance.disks if is_disks else instance.nics
        assert [device.uuid for device in read] == [(each[0] if is_disks else each)["uuid"] for each in part]


def test_no_file_is_left_unread(corpus: Path) -> None:
    read = ("cases-", "cluster_config_", "rapi-", "serialized_")
    left = [path.name for path in corpus.glob("*.json") if not path.name.startswith(read)]
    assert [name for name in left if "runtime" not in name] == []
