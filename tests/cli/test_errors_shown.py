"""Whatever goes wrong: one line on stderr, and an exit code that says who must act."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import CLUSTER, ROOT, WEB, Cli, listing, run_process
from tests.golden.cases import DOMAIN, GANETI
from virtxlate.cli import complain, translate
from virtxlate.errors import InternalError


@pytest.fixture
def source(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "config.data"
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON: "),
        (b" \n", "not JSON: "),
        (b"\x7fELF\x02\x01\x01\x00", "not JSON: "),
        (b"\xff\xfe{\x00}\x00", "not JSON: "),
        (b"<domain/>", "not JSON: "),
        (b"{", "not JSON: "),
        (b"[" * 100_000, ""),
        (b'{"cluster": 1}', "cluster: expected object, got int"),
        (b"{}", "expected a RAPI instance"),
        (b'{"cluster": {}, "version": 2060000, "instances": {}}', "version: expected 2070000 (2.7) or newer"),
        (b'{"cluster": {}, "version": 3010000, "instances": {}}', "no KVM instance here"),
    ],
)
@pytest.mark.parametrize("verb", ["translate", "explain", "define"])
def test_a_source_that_is_none_is_one_line(
    cli: Cli, source: Callable[[bytes], Path], verb: str, data: bytes, said: str
) -> None:
    path = source(data)
    result = cli(verb, path, *([] if verb == "translate" else [WEB]))
    assert (result.code, result.out) == (3, "")
    assert result.error.startswith(f"error: {path}: {said if verb == 'translate' else ''}")


@pytest.mark.parametrize("verb", ["translate", "explain", "define", "start"])
def test_a_source_that_cannot_be_read_is_one_line(cli: Cli, tmp_path: Path, verb: str) -> None:
    for path, reason in ((tmp_path / "none", "No such file or directory"), (tmp_path, "Is a directory")):
        result = cli(verb, path, WEB)
        assert (result.code, result.out, result.error) == (3, "", f"error: {path}: {reason}")


@pytest.mark.parametrize(
    ("option", "name", "reason"),
    [
        ("-o", "file/x.xml", "Not a directory"),
        ("-o", "none/x.xml", "No such file or directory"),
        ("-o", "", "Is a directory"),
        ("--report", "none/x.json", "No such file or directory"),
        ("--output-dir", "file", "expected a directory, found a file"),
        ("--output-dir", "file/below", "Not a directory"),
    ],
)
def test_an_output_that_cannot_be_written_is_one_line(
    cli: Cli, tmp_path: Path, option: str, name: str, reason: str
) -> None:
    (tmp_path / "file").write_text("keep")
    path = tmp_path / name
    result = cli("translate", CLUSTER, WEB, option, path)
    assert (result.code, result.error) == (3, f"error: {path}: {reason}")
    assert listing(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "keep"


def test_options_that_exclude_each_other_are_wrong_usage(cli: Cli, tmp_path: Path) -> None:
    assert cli("translate", CLUSTER, WEB, "-o", "x", "--output-dir", tmp_path).code == 2
    assert cli("define", CLUSTER, WEB, "--print-xml", "--print-diff").code == 2
    assert cli("translate", CLUSTER, "--from", "xen").code == 2
    assert cli("translate").code == 2
    assert cli("undefine").code == 2
    assert cli().code == 2


@pytest.mark.parametrize(
    ("argv", "argument"),
    [
        (("translate", CLUSTER, WEB, "-o", ""), "-o/--output"),
        (("translate", CLUSTER, WEB, "--output-dir="), "--output-dir"),
        (("translate", CLUSTER, WEB, "--report", ""), "--report"),
        (("translate", CLUSTER, WEB, "--map", ""), "--map"),
        (("translate", CLUSTER, WEB, "--scsi-map", ""), "--scsi-map"),
        (("translate", CLUSTER, WEB, "--runtime", ""), "--runtime"),
        (("translate", CLUSTER, ""), "INSTANCE"),
        (("define", "", WEB), "SOURCE"),
        (("define", CLUSTER, WEB, "-c", ""), "-c/--connect"),
        (("validate", ""), "FILE"),
        (("runtime", "upgrade", CLUSTER, "-o", ""), "-o/--output"),
        (("hotplug", "add", "web1", "--disk", "path=/x", "--runtime", ""), "--runtime"),
        (("handover", ""), "INSTANCE"),
        (("handover", "web1", "--state-dir", ""), "--state-dir"),
    ],
)
def test_an_empty_argument_is_a_variable_that_nobody_set(
    cli: Cli, argv: tuple[object, ...], argument: str
) -> None:
    result = cli(*argv)
    assert (result.code, result.out) == (2, "")
    assert result.errors[-1].endswith(f"error: argument {argument}: expected a value, found ''")


# Bugs


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("vda"), "this is a bug of virtxlate: KeyError: 'vda'"),
        (RecursionError("too\ndeep"), "this is a bug of virtxlate: RecursionError: too deep"),
        (InternalError("no cause"), "this is a bug of virtxlate: no cause"),
    ],
)
def test_a_bug_is_one_line_and_its_traceback_is_there_to_ask_for(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def fail(*_args: Any) -> None:
        raise error

    monkeypatch.setattr(translate, "translate_one", fail)
    result = cli("translate", CLUSTER, WEB)
    assert (result.code, result.out, result.error) == (70, "", f"error: {said}")
    shown = cli("translate", CLUSTER, WEB, "--traceback")
    assert shown.code == 70
    assert shown.errors[0] == "Traceback (most recent call last):"
    assert any("in fail" in line for line in shown.errors)
    assert shown.errors[-1] == f"virtxlate: error: {said}"


def test_an_error_of_the_users_has_a_traceback_too(cli: Cli, tmp_path: Path) -> None:
    result = cli("translate", tmp_path / "none", "--traceback")
    assert result.code == 3
    assert "FileNotFoundError" in result.err


def test_complaints_are_one_line_that_no_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    complain("a\nb\r\nc\u2028d\x1b[2J \x00 \ud800 ä \u202e")
    assert capsys.readouterr().err == "virtxlate: a b c d\\x1b[2J \\x00 \\ud800 ä \\u202e\n"


# The process


def test_interrupting_ends_quietly(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(translate, "translate_one", interrupt)
    assert cli("translate", CLUSTER, WEB) == (130, "", "")


def test_control_c_ends_a_process_quietly() -> None:
    # A shell starts what runs in its background deaf to SIGINT, the tests too: env lets it hear again.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "virtxlate", "validate", "-"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    # More than a pipe holds: once it is through, the process has read, so its handlers are in place.
    process.stdin.write(b" " * (1 << 20))
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"")


@pytest.mark.parametrize("verb", ["translate", "explain"])
def test_a_reader_that_leaves_early_is_no_error(verb: str) -> None:
    command = f"{sys.executable} -m virtxlate {verb} {CLUSTER} {WEB}; echo $? >&2"
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write) as gone:
        done = subprocess.run(
            ["sh", "-c", command], cwd=ROOT, check=False, stdout=gone, stderr=subprocess.PIPE, timeout=60
        )
    assert done.stderr == b"0\n"


def test_head_gets_its_lines() -> None:
    command = f"{sys.executable} -m virtxlate explain {CLUSTER} {WEB} | head -n 1"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, check=True, capture_output=True, timeout=60)
    assert (done.stdout, done.stderr) == (b"/domain @type=kvm\n", b"")


@pytest.mark.parametrize("verb", ["translate", "explain"])
def test_a_full_disk_behind_stdout_is_one_line(verb: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "virtxlate", verb, CLUSTER, WEB],
            cwd=ROOT,
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (3, b"virtxlate: error: No space left on device\n")


def closed(*argv: object, without: str) -> tuple[int, bytes, bytes]:
    """Run the program without one of its standard streams, as some daemons start their children."""
    command = ["sh", "-c", f'exec "$0" -m virtxlate "$@" {without}', sys.executable, *map(str, argv)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("verb", [("translate", CLUSTER, WEB), ("explain", CLUSTER, WEB), ("rules",)])
def test_a_closed_stdout_is_one_line(verb: tuple[object, ...]) -> None:
    assert closed(*verb, without=">&-") == (3, b"", b"virtxlate: error: Bad file descriptor\n")


def test_what_needs_no_stdout_works_without(tmp_path: Path) -> None:
    assert closed("translate", CLUSTER, WEB, "-o", tmp_path / "x", without=">&-") == (0, b"", b"")
    assert (tmp_path / "x").read_bytes().startswith(b"<domain")


def test_a_closed_stdin_is_an_empty_one() -> None:
    assert closed("validate", "-", without="<&-")[0] == 1
    code, out, error = closed("translate", "-", without="<&-")
    assert (code, out) == (3, b"")
    assert error.startswith(b"virtxlate: error: stdin: not JSON: ")


def test_an_error_does_not_go_to_stdout_where_stderr_is_closed(tmp_path: Path) -> None:
    assert closed("translate", tmp_path / "none", without="2>&-") == (3, b"", b"")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_encoding_of_a_terminal_will_do(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text('<domain type="ä€"/>')
    result = run_process("validate", path, PYTHONIOENCODING=f"{encoding}:strict")
    assert (result.code, result.err) == (1, "")
    assert result.out.endswith("fails to validate\n")


def test_what_a_runtime_file_says_is_no_command_for_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text(
        (GANETI / "runtime-pci-2.10.json")
        .read_text()
        .replace("inst1.example.com", "inst\\u001b[2J\\n1\\u00e4")
    )
    for encoding, name in (("utf-8", "inst\\x1b[2J 1ä"), ("ascii", "inst\\x1b[2J 1\\xe4")):
        result = run_process("runtime", "show", path, PYTHONIOENCODING=f"{encoding}:strict")
        assert (result.code, result.err) == (0, "")
        assert result.out.splitlines()[1] == f"name     {name}"
    path.write_text((DOMAIN / "runtime-hvinfo.xml").read_text().replace("<name>inst1", "<name>instä", 1))
    result = run_process(
        "runtime", "check", GANETI / "runtime-hvinfo.json", path, PYTHONIOENCODING="ascii:strict"
    )
    assert (result.code, result.err) == (1, "")
    assert "inst\\xe4.example.com" in result.out


def test_the_module_runs_as_a_program() -> None:
    result = run_process("translate", "-", WEB, stdin=CLUSTER.read_bytes())
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("<domain")
    assert run_process("translate", "-", stdin=b"nonsense").code == 3
