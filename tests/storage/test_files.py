"""Files are written completely or not at all, and replace only plain files that nobody reads."""

from __future__ import annotations

import errno
import itertools
import os
from contextlib import suppress
from pathlib import Path

import pytest
from benchmarks.attacks.file_systems import Death, failing_call

from unwarp.errors import ConfigError, UnwarpError
from unwarp.storage.files import check_writable, expand, make_folder, write_file


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder by their path in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("dies", [False, True])
def test_file_survives_every_fault(tmp_path: Path, dies: bool) -> None:
    """Whichever call fails: the old or the new text is whole; the next write clears up."""
    path = tmp_path / "table.csv"
    for n in itertools.count(1):
        write_file(path, "old")
        with suppress(Death, ConfigError), failing_call(n, dies) as count:
            write_file(path, "new")
        assert path.read_text() in ("old", "new")
        write_file(path, "new")
        assert contents(tmp_path) == {"table.csv": b"new"}
        if count() < n:
            break
    assert n > 5


def test_linked_file_is_refused(tmp_path: Path) -> None:
    """Neither the link nor its target is replaced, and a link to nothing makes no file."""
    (tmp_path / "diary").write_text("precious")
    for target in ("diary", "absent"):
        link = tmp_path / f"{target}.csv"
        link.symlink_to(tmp_path / target)
        for attempt in (
            lambda link=link: write_file(link, "x"),
            lambda link=link: check_writable(link),
        ):
            with pytest.raises(ConfigError, match=r"is a link to .*; choose another place with"):
                attempt()
    assert contents(tmp_path) == {"diary": b"precious", "diary.csv": b"precious"}


def test_inputs_are_never_written(tmp_path: Path) -> None:
    """An input, also by another path, and a file in a folder that is read, stay as they are."""
    (tmp_path / "pictures").mkdir()
    picture = tmp_path / "pictures" / "0.png"
    picture.write_text("precious")
    around = tmp_path / "pictures" / ".." / "pictures" / "0.png"
    for source in (picture, str(around), tmp_path / "pictures"):
        with pytest.raises(ConfigError, match=r"0\.png: it is read as a part of .*; choose"):
            write_file(picture, "x", inputs=("digits", source))
    write_file(tmp_path / "pictures" / "new.png", "x", inputs=(tmp_path / "pictures",))
    assert picture.read_text() == "precious"


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_modes_follow_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    """A file is readable for those whom the umask admits."""
    previous = os.umask(umask)
    try:
        write_file(tmp_path / "table.csv", "x")
    finally:
        os.umask(previous)
    assert (tmp_path / "table.csv").stat().st_mode & 0o777 == mode


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the home folder for a file and a new folder; an unknown user is refused."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_file(Path("~/table.csv"), "x")
    make_folder(Path("~/runs"))
    assert {path.name for path in tmp_path.iterdir()} == {"table.csv", "runs"}
    with pytest.raises(ConfigError, match="home folder of '~' is unknown"):
        expand("~no-such-user-here/a")


@pytest.mark.parametrize("value", [None, 3, b"model", [], True])
def test_paths_are_texts(value: object) -> None:
    """Anything but a text or a path is refused."""
    with pytest.raises(ConfigError, match=r"is no path; give a text or a pathlib\.Path"):
        expand(value)  # type: ignore[arg-type]


def test_zero_byte_is_typed() -> None:
    """A path that the system cannot have is refused as an argument."""
    with pytest.raises(ConfigError, match="holds a zero byte"):
        write_file(Path("a\0b"), "")


def test_unwritable_place_is_typed(tmp_path: Path) -> None:
    """A parent that is a file, and a file in place of the folder, are refused by name."""
    (tmp_path / "file").write_text("precious")
    for folder in (tmp_path / "file", tmp_path / "file" / "model", tmp_path / "file" / "a" / "b"):
        with pytest.raises(UnwarpError, match=rf"cannot write {folder}.*"):
            make_folder(folder)
    assert contents(tmp_path) == {"file": b"precious"}


def test_folder_is_no_file(tmp_path: Path) -> None:
    """A folder and a device are refused as a file, before and while a result is written."""
    for path, reason in ((tmp_path, "it is a folder"), (Path(os.devnull), "it is no plain file")):
        for attempt in (lambda: check_writable(path), lambda: write_file(path, "x")):  # noqa: B023
            with pytest.raises(ConfigError, match=f"{path}: {reason}; choose another place with"):
                attempt()


def test_long_names_are_typed(tmp_path: Path) -> None:
    """A name that the system refuses is an error by type at every door."""
    path = tmp_path / ("x" * 300)
    for attempt in (lambda: write_file(path, "x"), lambda: make_folder(path)):
        with pytest.raises(ConfigError, match="file name too long; choose another place"):
            attempt()
    check_writable(tmp_path / "a", [path])
    assert not list(tmp_path.iterdir())


def test_circles_of_links_are_refused(tmp_path: Path) -> None:
    """A link to itself is neither followed for ever nor replaced."""
    link = tmp_path / "link"
    link.symlink_to(link)
    with pytest.raises(ConfigError, match="it is a link to"):
        write_file(link, "x")
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left"), "no space left; free some space, or choose"),
        (OSError(errno.EDQUOT, "Disk quota"), "disk quota; free some space, or choose another"),
        (OSError(errno.EACCES, "Permission denied"), "permission denied; choose another place"),
        (OSError(errno.EAGAIN, "In use; wait"), "In use; wait with"),
        (OSError(errno.EEXIST, "In the way; move it"), "In the way; move it with"),
        (OSError(errno.EEXIST, "File exists"), "file exists; choose another place"),
        (OSError(errno.EIO, "Odd; very"), "odd; very; choose another place"),
        (OSError("Text alone"), "text alone; choose another place"),
        (OSError(), "it is refused; choose another place"),
    ],
)
def test_reasons_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
) -> None:
    """Each reason of the system is in the message, with what to do: free space, wait, move."""

    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("unwarp.storage.files.write_new", fail)
    with pytest.raises(ConfigError, match=f"cannot write {tmp_path / 'a'}: {words}"):
        write_file(tmp_path / "a", "x")
    assert not list(tmp_path.iterdir())


def test_folders_above_are_made(tmp_path: Path) -> None:
    """Folders are made with all folders above them, and once more without an error."""
    for _ in range(2):
        make_folder(tmp_path / "a" / "b" / "c")
        check_writable(tmp_path / "d" / "e" / "table.csv")
    assert (tmp_path / "a/b/c").is_dir() and (tmp_path / "d/e").is_dir()
    write_file(tmp_path / "h" / "i" / "table.csv", "x")
    assert (tmp_path / "h/i/table.csv").exists()
