"""Locks: one owner at a time, named to the second, and none after its death."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from benchmarks.attacks.file_systems import DEAD_PID

from unwarp.disk.locks import Owner, hold

HOLD = (
    "import sys; from pathlib import Path; from unwarp.disk.locks import hold\n"
    "with hold(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
)


def test_second_process_is_told_the_first(tmp_path: Path) -> None:
    """While a process holds a lock it is named; once it is killed, the lock is taken over."""
    lock = tmp_path / "a.lock"
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline().strip() == b"held"
        with pytest.raises(
            BlockingIOError,
            match=f"in use by process {process.pid} on {socket.gethostname()}; wait .*a.lock",
        ):
            hold(lock).__enter__()
        assert lock.exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert lock.exists()
    with hold(lock):
        assert json.loads(lock.read_text())["pid"] != process.pid
    assert not lock.exists()


def test_other_threads_are_refused(tmp_path: Path) -> None:
    """A thread may hold a lock twice, and another thread not once."""
    errors: list[Exception] = []

    def attempt() -> None:
        try:
            hold(tmp_path / "lock").__enter__()
        except BlockingIOError as error:
            errors.append(error)

    with hold(tmp_path / "lock"):
        with hold(tmp_path / "lock"):
            thread = threading.Thread(target=attempt)
            thread.start()
            thread.join()
        assert (tmp_path / "lock").exists()
    assert len(errors) == 1 and not list(tmp_path.iterdir())


def test_lock_ends_with_an_error(tmp_path: Path) -> None:
    """An error in the body releases the lock and passes on."""
    with pytest.raises(KeyError), hold(tmp_path / "lock"):
        raise KeyError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("host", "pid", "is_free"),
    [(None, DEAD_PID, True), ("another-computer", DEAD_PID, False), ("another-computer", 1, False)],
)
def test_lock_of_another_host_is_kept(
    tmp_path: Path, host: str | None, pid: int, is_free: bool
) -> None:
    """Only the death of a process on this host is known; an empty lock is nobody's."""
    lock = tmp_path / "lock"
    lock.write_text(json.dumps({"pid": pid, "host": host or socket.gethostname(), "thread": 0}))
    if is_free:
        with hold(lock):
            assert json.loads(lock.read_text())["pid"] != pid
    else:
        with pytest.raises(BlockingIOError, match=f"process {pid} on another-computer"):
            hold(lock).__enter__()
        assert lock.exists()


@pytest.mark.parametrize("text", ["a poem", "{}", "[1]", '{"pid": "x", "host": "y", "thread": 0}'])
def test_other_files_are_no_locks(tmp_path: Path, text: str) -> None:
    """A file with the name of a lock and another content is refused and kept."""
    (tmp_path / "lock").write_text(text)
    with pytest.raises(FileExistsError, match="is no lock of Unwarp; move it away"):
        hold(tmp_path / "lock").__enter__()
    assert (tmp_path / "lock").read_text() == text


def test_empty_lock_is_nobodys(tmp_path: Path) -> None:
    """A lock whose owner died before it wrote its name is taken over."""
    (tmp_path / "lock").touch()
    with hold(tmp_path / "lock"):
        assert json.loads((tmp_path / "lock").read_text())["host"] == socket.gethostname()


def test_death_of_a_process_is_known() -> None:
    """A process that runs is alive, one that does not exist is not, another host is unknown."""
    assert Owner.current().is_alive
    assert not Owner(DEAD_PID, socket.gethostname()).is_alive
    assert Owner(DEAD_PID, "another-computer").is_alive
    assert Owner(1, socket.gethostname()).is_alive
