"""The QMP client, against a peer that says anything."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from virtxlate.errors import LiveError
from virtxlate.live import qmp
from virtxlate.live.qmp import Qmp, open_qmp

GREETING = b'{"QMP": {"version": {"qemu": {"major": 7}}, "capabilities": []}}\r\n'
READY = GREETING + b'{"return": {}}\r\n'
EVENT = b'{"event": "RESUME", "timestamp": {"seconds": 1, "microseconds": 2}}\r\n'


class Peer:
    """A stream whose other end has said everything beforehand."""

    def __init__(self, said: bytes) -> None:
        self._said = io.BytesIO(said)
        self.heard = b""

    def readline(self, size: int, /) -> bytes:
        return self._said.readline(size)

    def write(self, data: bytes, /) -> int:
        self.heard += data
        return len(data)

    def flush(self) -> None:
        """Everything is there already."""


class Deaf(Peer):
    """A stream that breaks at the second write."""

    def write(self, data: bytes, /) -> int:
        if self.heard:
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(data)


class Late(Peer):
    """A stream whose answer does not come in time."""

    def readline(self, size: int, /) -> bytes:
        line = super().readline(size)
        if not line:
            raise TimeoutError
        return line


def test_a_question_gets_its_answer_past_events() -> None:
    peer = Peer(READY + EVENT * 3 + b'{"return": {"UUID": "x"}}\r\n' + b'{"return": [1]}\r\n')
    ask = Qmp(peer)
    assert ask("query-uuid") == {"UUID": "x"}
    assert ask("qom-list", path="/machine") == [1]
    assert [json.loads(line) for line in peer.heard.splitlines()] == [
        {"execute": "qmp_capabilities", "arguments": {}},
        {"execute": "query-uuid", "arguments": {}},
        {"execute": "qom-list", "arguments": {"path": "/machine"}},
    ]


def test_a_refusal_is_in_qemus_own_words() -> None:
    ask = Qmp(Peer(READY + b'{"error": {"class": "DeviceNotFound", "desc": "Device \'x\' not found"}}\r\n'))
    with pytest.raises(LiveError, match=r"^device_del: Device 'x' not found$"):
        ask("device_del", id="x")


BROKEN: dict[str, tuple[Any, str]] = {
    "no greeting": (Peer(b'{"return": {}}\r\n'), "greeting: expected QMP's greeting, found something else"),
    "nothing at all": (Peer(b""), "greeting: QEMU has hung up"),
    "another protocol": (Peer(b"SSH-2.0-OpenSSH_9.2\r\n"), "greeting: no QMP: "),
    "a list": (Peer(b"[]\r\n"), "greeting: no QMP: "),
    "an end in mid-line": (Peer(READY + b'{"ret'), "query-uuid: no QMP: "),
    "hanging up": (Peer(READY), "query-uuid: QEMU has hung up"),
    "a broken pipe": (Deaf(READY), "query-uuid: Broken pipe"),
    "no answer": (Late(READY), "query-uuid: no answer in time"),
    "depth": (Peer(READY + b"[" * 100_000), "query-uuid: no QMP: "),
    "an error that is no object": (Peer(READY + b'{"error": "no"}\r\n'), "query-uuid: no"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_conversation_is_an_error_of_one_line(name: str) -> None:
    peer, message = BROKEN[name]
    with pytest.raises(LiveError) as caught:
        Qmp(peer)("query-uuid")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    with pytest.raises(LiveError, match=r"^query-uuid: an answer of more than 100 bytes$"):
        Qmp(Peer(READY + b" " * 1000), most_bytes=100)("query-uuid")


def test_endless_events_are_not_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qmp, "MOST_EVENTS", 3)
    with pytest.raises(LiveError, match=r"^query-uuid: 3 events and no answer$"):
        Qmp(Peer(READY + EVENT * 4))("query-uuid")


@contextmanager
def served(path: Path, serve: Callable[[socket.socket], None]) -> Iterator[Path]:
    """Give a socket whose first client is served in another thread, which has ended by the end."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def once() -> None:
            peer, _ = server.accept()
            with peer:
                serve(peer)

        thread = threading.Thread(target=once)
        thread.start()
        yield path
        thread.join(30)
        assert not thread.is_alive()


def test_a_socket_serves(tmp_path: Path) -> None:
    def serve(peer: socket.socket) -> None:
        peer.sendall(READY + b'{"return": {"UUID": "x"}}\r\n')
        while peer.recv(4096):
            pass

    with served(tmp_path / "qmp", serve) as path, open_qmp(path, timeout_s=30) as ask:
        assert ask("query-uuid") == {"UUID": "x"}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"HTTP/1.1 400 Bad\r\n", "greeting: no QMP: "),
        (b"", "greeting: QEMU has hung up"),
        (b'{"QMP": {}}\r\n', "qmp_capabilities: "),
    ],
)
def test_what_hangs_up_is_told_by_its_path(said: bytes, reason: str, tmp_path: Path) -> None:
    """Also where a question was still to be sent: the line cannot be closed then without an error."""
    with (
        served(tmp_path / "qmp", lambda peer: peer.sendall(said)) as path,
        pytest.raises(LiveError) as caught,
        open_qmp(path, timeout_s=30),
    ):
        pass
    assert str(caught.value).startswith(f"connect {path}: {reason}")


def test_a_socket_that_serves_another_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "qmp"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with pytest.raises(LiveError) as caught, open_qmp(path, timeout_s=0.1):
            pass
    assert str(caught.value) == (
        f"connect {path}: greeting: no answer in time: "
        "it is no QMP, QEMU hangs, or it serves another client (libvirt holds its own)"
    )


def test_a_full_queue_is_waited_for(tmp_path: Path) -> None:
    """QEMU's holds one client; those of a moment ago may be in it still."""
    path = tmp_path / "qmp"
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as other:
        server.bind(str(path))
        server.listen(0)
        other.connect(str(path))
        with pytest.raises(LiveError) as caught, open_qmp(path, timeout_s=0.1):
            pass
        assert str(caught.value) == (
            f"connect {path}: no place in its queue in time: "
            "it is no QMP, QEMU hangs, or it serves another client (libvirt holds its own)"
        )

        def serve() -> None:
            server.accept()[0].close()
            peer, _ = server.accept()
            with peer:
                peer.sendall(READY)
                while peer.recv(4096):
                    pass

        late = threading.Timer(0.2, serve)
        late.start()
        with open_qmp(path, timeout_s=30):
            pass
        late.join(30)
        assert not late.is_alive()


def test_a_line_that_broke_closes_in_silence(tmp_path: Path) -> None:
    """The error of the question that broke is the one that counts."""
    gone = threading.Event()

    def serve(peer: socket.socket) -> None:
        peer.sendall(READY)
        peer.recv(4096)
        peer.close()
        gone.set()

    with served(tmp_path / "qmp", serve) as path, open_qmp(path, timeout_s=30) as ask:
        assert gone.wait(30)
        with pytest.raises(LiveError, match=r"^query-uuid: "):
            ask("query-uuid")


def test_a_socket_that_is_not_there_is_told_by_its_path(tmp_path: Path) -> None:
    with (
        pytest.raises(LiveError, match=r"^connect .*/qmp: No such file or directory$"),
        open_qmp(tmp_path / "qmp"),
    ):
        pass
