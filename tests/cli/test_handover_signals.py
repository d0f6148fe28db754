"""Who ends the command is told where the guest is; it stands still on both sides for nobody's ^C."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.handover_pair import cut_short
from tests.cli.running import Cli
from tests.handover.fake_pair import NAME, Pair
from virtxlate.cli.handover_signals import interruptions

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def sent(number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """A signal that nobody hears ends no test run; what is heard is put back."""
    before = {each: signal.signal(each, lambda *_: None) for each in SIGNALS}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_before_the_way_is_decided_it_goes_back(
    number: signal.Signals,
    cli: Cli,
    pair: Pair,
    tmp_path: Path,
) -> None:
    cut_short(pair, tmp_path, "before compare")
    pair.faults["new human-monitor-command"] = sent(number)
    result = cli("handover", NAME, "--resume", "--state-dir", tmp_path / "state")
    assert (result.code, result.out, result.err) == (
        SIGNALS[number],
        "",
        f"virtxlate: error: {NAME}: interrupted ({number.name}); the guest goes on under Ganeti\n",
    )
    assert (pair.where(), pair.both_ran) == ("ganeti", False)
    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("call", ["resume", "resumed"])
def test_once_it_is_decided_it_goes_to_the_end(
    call: str,
    number: signal.Signals,
    cli: Cli,
    pair: Pair,
    tmp_path: Path,
) -> None:
    cut_short(pair, tmp_path, "before compare")
    pair.faults[call] = sent(number)
    result = cli("handover", NAME, "web1", "--resume", "--keep-going", "--state-dir", tmp_path / "state")
    assert (result.code, result.err) == (SIGNALS[number], "")
    assert "the guest runs under libvirt" in result.out
    assert result.out.endswith("1 done, 0 failed, 1 not tried\n")
    assert (pair.where(), pair.status) == ("libvirt", "gone")
    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.parametrize("call", ["cont", "destroy", "undefine"])
def test_a_way_back_goes_to_the_end(call: str, cli: Cli, pair: Pair, tmp_path: Path) -> None:
    """As for who presses ^C twice."""
    cut_short(pair, tmp_path, "before compare")
    pair.faults |= {call: sent(signal.SIGINT), "new human-monitor-command": sent(signal.SIGINT)}
    result = cli("handover", NAME, "--resume", "--json", "--state-dir", tmp_path / "state")
    (found,) = json.loads(result.out)
    assert (result.code, found["code"], found["done"]) == (130, 130, None)
    assert found["error"] == "interrupted (SIGINT); the guest goes on under Ganeti"
    assert pair.where() == "ganeti"
    assert list((tmp_path / "state").iterdir()) == []


def test_before_anything_nothing_was_changed(cli: Cli, pair: Pair, tmp_path: Path) -> None:
    pair.faults["query-status"] = sent(signal.SIGTERM)
    result = cli("handover", NAME, "--qmp", tmp_path / "qmp", "--state-dir", tmp_path / "state")
    assert result.code == 143
    assert result.err == f"virtxlate: error: {NAME}: interrupted (SIGTERM); nothing was changed\n"
    assert pair.where() == "ganeti"


def test_a_signal_that_was_to_be_ignored_is_ignored() -> None:
    """As nohup asks."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with interruptions() as heard:
        os.kill(os.getpid(), signal.SIGHUP)
        assert heard.number is None
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
    assert heard.name == "SIGTERM"
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
