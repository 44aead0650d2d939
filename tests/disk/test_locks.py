"""Locks: one owner at a time, named to the second, and none after its death."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from benchmarks.attacks.file_systems import DEAD_PID

from unwarp.disk import locks
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


def test_number_of_dead_owner_is_reused(tmp_path: Path) -> None:
    """A lock that the system grants is free, though another process has its number now."""
    lock = tmp_path / "lock"
    record = {"pid": os.getppid(), "host": socket.gethostname(), "thread": 0}
    lock.write_text(json.dumps(record))
    with hold(lock):
        assert json.loads(lock.read_text())["pid"] == os.getpid()


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


@pytest.mark.parametrize(
    ("error", "is_alive"),
    [(ProcessLookupError(), False), (PermissionError(), True), (OverflowError(), True)],
)
def test_hidden_processes_may_be_alive(
    monkeypatch: pytest.MonkeyPatch, error: Exception, is_alive: bool
) -> None:
    """A process is dead if the system says so, not if it refuses to say."""

    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(os, "kill", fail)
    assert Owner(4, socket.gethostname()).is_alive == is_alive


def test_probe_sends_no_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    """To ask whether a process runs, signal 0 is sent, which has no effect."""
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append((pid, number)))
    assert Owner(7, socket.gethostname()).is_alive
    assert signals == [(7, 0)]


@pytest.fixture
def lockless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without locks, such as some network folders."""

    fcntl = pytest.importorskip("fcntl", reason="Windows has no such locks")

    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)


@pytest.mark.usefixtures("lockless")
@pytest.mark.parametrize(
    ("pid", "is_free"),
    [(DEAD_PID, True), (os.getpid(), True), (os.getppid(), False)],
    ids=["dead", "own", "alive"],
)
def test_records_replace_absent_locks(tmp_path: Path, pid: int, is_free: bool) -> None:
    """Where the system has no locks, a lock counts while the process in it runs."""
    lock = tmp_path / "lock"
    lock.write_text(json.dumps({"pid": pid, "host": socket.gethostname(), "thread": 0}))
    if is_free:  # an earlier process with this number left it
        with hold(lock):
            assert json.loads(lock.read_text())["pid"] == os.getpid()
        assert not lock.exists()
    else:
        with pytest.raises(BlockingIOError, match=f"process {pid} on"):
            hold(lock).__enter__()
        assert lock.exists()


@pytest.mark.usefixtures("lockless")
def test_threads_need_no_system_locks(tmp_path: Path) -> None:
    """Where the system has no locks, another thread of this process is refused, too."""
    errors: list[BaseException] = []

    def attempt() -> None:
        try:
            hold(tmp_path / "lock").__enter__()
        except BlockingIOError as error:
            errors.append(error)

    with hold(tmp_path / "lock"):
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
    assert len(errors) == 1 and not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system lists no descriptors")
def test_lock_deleted_meanwhile_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that its owner deletes while it is opened does not count; a new file is locked."""
    fcntl = pytest.importorskip("fcntl")
    lock, flock, calls = tmp_path / "lock", fcntl.flock, list[int]()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    def delete_first(descriptor: int, operation: int) -> None:
        calls.append(descriptor)
        if len(calls) == 1:
            lock.unlink()
        elif len(calls) == 2:
            lock.rename(tmp_path / "other")
            lock.touch()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", delete_first)
    with hold(lock):
        assert json.loads(lock.read_text())["pid"] == os.getpid()
    assert len(calls) == 3 and not lock.exists()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_lock_of_a_thief_is_kept(tmp_path: Path) -> None:
    """At the end a lock is deleted only if it is still the own one."""
    lock = tmp_path / "lock"
    with hold(lock):
        lock.unlink()
        lock.write_text("of somebody else")
    assert lock.read_text() == "of somebody else"


def test_shorter_owner_replaces_record(tmp_path: Path) -> None:
    """The record of a dead owner is replaced whole, however long it was."""
    lock = tmp_path / "lock"
    record = {"pid": DEAD_PID, "host": socket.gethostname(), "thread": 10**30}
    lock.write_text(json.dumps(record, indent=40))
    with hold(lock):
        assert set(json.loads(lock.read_text())) == {"pid", "host", "thread"}


def test_lock_without_record_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk leaves neither a lock without an owner nor an open file."""

    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        with pytest.raises(OSError, match="No space"):
            hold(tmp_path / "lock").__enter__()
    assert not list(tmp_path.iterdir())
    with hold(tmp_path / "lock"):  # nothing of the first attempt is held
        assert len(locks._holders) == 1
