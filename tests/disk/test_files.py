"""New files are whole, and leftovers are told from work in progress."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest
from benchmarks.attacks.file_systems import DEAD_PID

from unwarp.disk import files


def test_existing_file_is_not_written(tmp_path: Path) -> None:
    """A new file is made or none: one that exists stays, also behind a link to nothing."""
    (tmp_path / "a").write_text("precious")
    (tmp_path / "b").symlink_to(tmp_path / "absent")
    for name in ("a", "b"):
        with pytest.raises(FileExistsError):
            files.write_new(tmp_path / name, b"x")
    assert (tmp_path / "a").read_text() == "precious" and not (tmp_path / "absent").exists()


def test_partial_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that writes three bytes at a time writes all of them."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:3]))
    files.write_new(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_content_and_name_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The content reaches the disk before its name does, and the name before the end."""
    events: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda d: (events.append("fsync"), fsync(d))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (events.append("replace"), replace(a, b))[1])
    partial = files.temporary(tmp_path / "a")
    files.write_new(partial, b"x")
    files.rename(partial, tmp_path / "a")
    assert events == ["fsync", "replace", "fsync"]


@pytest.mark.parametrize(("number", "is_fault"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_folder_without_flush_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_fault: bool
) -> None:
    """A file system that cannot flush folders is accepted, a failing disk is not."""

    def fail(descriptor: int) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(os, "fsync", fail)
    if is_fault:
        with pytest.raises(OSError, match="refused"):
            files.flush_folder(tmp_path)
    else:
        files.flush_folder(tmp_path)


def test_leftovers_are_cleaned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of dead processes, ended writes and old times go; a user's files and others stay."""
    names = {name: files.temporary(tmp_path / name) for name in ("writing", "ended")}
    names |= {name: tmp_path / f".a.unwarp-{'0' * 8}-1-{name}" for name in ("1", "2")}
    names |= {name: tmp_path / name for name in (".run.json.partial", ".mine.partial", "a.csv")}
    with monkeypatch.context() as context:
        context.setattr(os, "getpid", lambda: DEAD_PID)
        names["dead"] = files.temporary(tmp_path / "dead")
        folder = files.temporary(tmp_path / "folder")
    files.delete(names["ended"])
    for path in names.values():
        path.touch()
    os.utime(names["2"], (0, 0))
    folder.mkdir()
    (folder / "weights").touch()
    files.clean_leftovers(tmp_path)
    rest = {names[name].name for name in ("writing", "1", ".mine.partial", "a.csv")}
    assert {path.name for path in tmp_path.iterdir()} == rest


def test_delete_keeps_folders_inside(tmp_path: Path) -> None:
    """No tree is ever deleted: a folder inside a temporary one, and a link's target, stay."""
    (tmp_path / "a" / "deep").mkdir(parents=True)
    (tmp_path / "a" / "deep" / "thesis").touch()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    files.delete(tmp_path / "a")
    files.delete(tmp_path / "link")
    files.delete(tmp_path / "absent")
    assert (tmp_path / "a" / "deep" / "thesis").exists() and not (tmp_path / "link").is_symlink()


@pytest.mark.skipif(os.name != "posix", reason="pipes are those of POSIX")
def test_only_plain_files_are_read(tmp_path: Path) -> None:
    """A file and a link to one are read; a pipe, a device and a folder are refused at once."""
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "link").symlink_to("a")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    assert files.read_plain(tmp_path / "a") == files.read_plain(tmp_path / "link") == b"x"
    for path in (tmp_path / "pipe", tmp_path / "device", tmp_path):
        with pytest.raises(OSError, match="it is no plain file"):
            files.read_plain(path)


@pytest.mark.parametrize(("hours", "is_left_over"), [(23.5, False), (24.5, True)])
def test_others_may_write_for_a_day(tmp_path: Path, hours: float, is_left_over: bool) -> None:
    """A temporary file of another host, whose processes are unknown, is kept for 24 hours."""
    path = tmp_path / f".a.unwarp-{'0' * 8}-{DEAD_PID}-1"
    assert not files.is_leftover(path)  # another process has just deleted it
    path.touch()
    changed = time.time() - 3600 * hours
    os.utime(path, (changed, changed))
    assert files.is_leftover(path) == is_left_over


def test_live_writers_may_write_for_a_day(tmp_path: Path) -> None:
    """The file of a process that runs on this host is kept; an old one has lost its writer."""
    own = files.temporary(tmp_path / "a")
    path = own.with_name(own.name.replace(f"-{os.getpid()}-", f"-{os.getppid()}-"))
    path.touch()
    assert not files.is_leftover(path)
    os.utime(path, (0, 0))
    assert files.is_leftover(path)


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_new_file_has_no_extra_rights(tmp_path: Path) -> None:
    """A file is readable and writable for whom the umask admits, and executable for nobody."""
    previous = os.umask(0)
    try:
        files.write_new(tmp_path / "a", b"x")
    finally:
        os.umask(previous)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system lists no descriptors")
def test_no_descriptor_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and folders are closed after each operation, failed ones included."""
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    files.write_new(tmp_path / "a", b"x")
    files.rename(tmp_path / "a", tmp_path / "b")

    def fail(*arguments: object) -> None:
        raise OSError(errno.EIO, "refused")

    monkeypatch.setattr(os, "fsync", fail)
    for attempt in (
        lambda: files.write_new(tmp_path / "c", b"x"),
        lambda: files.flush_folder(tmp_path),
    ):
        with pytest.raises(OSError, match="refused"):
            attempt()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_temporary_names_are_new(tmp_path: Path) -> None:
    """Names differ from call to call, stay in the folder, and say the final name."""
    names = [files.temporary(tmp_path / "a.csv") for _ in range(3)]
    assert len(set(names)) == 3 and {path.parent for path in names} == {tmp_path}
    assert all(path.name.startswith(".a.csv.unwarp-") for path in names)


def test_link_to_a_folder_is_deleted_alone(tmp_path: Path) -> None:
    """A link goes without the files behind it, and so does a link to nothing."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis").touch()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "dangling").symlink_to(tmp_path / "absent")
    for name in ("link", "dangling"):
        files.delete(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert (tmp_path / "folder" / "thesis").exists()
