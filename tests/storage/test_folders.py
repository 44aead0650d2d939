"""Folders are written completely or not at all, and replace only our own."""

from __future__ import annotations

import itertools
import json
import os
import re
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import torch
from benchmarks.attacks.file_systems import DEAD_PID, Death, failing_call
from safetensors.torch import load

import unwarp
from unwarp.errors import CheckpointError, ConfigError
from unwarp.storage.folders import (
    clear_lock,
    hold_folder,
    recover_folder,
    write_folder,
    write_tree,
)

CONFIG = '{"format_version": 2, "unwarp": "0.1", "text": "%s"}'
OLD = {"config.json": CONFIG % "old", "README.md": "# Unwarp model\n\nold", "x": b"old"}
NEW = {"config.json": CONFIG % "new", "README.md": "# Unwarp model\n\nnew", "x": b"new", "y": b"n"}


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder by their path in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def visible(folder: Path) -> dict[str, bytes]:
    """The files that have no hidden name or folder."""
    return {name: content for name, content in contents(folder).items() if name[0] != "."}


def encoded(files: dict[str, str | bytes], folder: str = "model") -> dict[str, bytes]:
    """Files as `contents` gives them."""
    return {
        f"{folder}/{name}": content.encode() if isinstance(content, str) else content
        for name, content in files.items()
    }


def test_failed_write_changes_nothing(tmp_path: Path) -> None:
    """A failed write changes nothing and leaves no temporary files."""
    write_folder(tmp_path / "model", {**OLD, "weights": {"x": torch.ones(2)}})
    before = contents(tmp_path)
    with pytest.raises(TypeError):
        write_folder(tmp_path / "model", {**OLD, "broken": 3})  # type: ignore[dict-item]
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("dies", [False, True])
def test_folder_survives_every_fault(tmp_path: Path, dies: bool) -> None:
    """Whichever call fails: the old or the new model is whole; the next write clears up."""
    for n in itertools.count(1):
        place = tmp_path / str(n)
        (place / "model").mkdir(parents=True)
        (place / "thesis.tex").write_text("precious")
        for name, content in encoded(OLD).items():
            (place / name).write_bytes(content)
        thesis = {"thesis.tex": b"precious"}
        with suppress(Death, CheckpointError), failing_call(n, dies) as count:
            write_folder(place / "model", NEW)
        recover_folder(place / "model")
        assert visible(place) in (encoded(OLD) | thesis, encoded(NEW) | thesis), n
        write_folder(place / "model", NEW)
        assert contents(place) == encoded(NEW) | thesis, n
        assert {path.name for path in place.iterdir()} == {"model", "thesis.tex"}, n
        if count() < n:
            break
    assert n > 20


def test_first_write_survives_every_fault(tmp_path: Path) -> None:
    """Where nothing was, there is nothing or a whole model; the error names path and reason."""
    for n in itertools.count(1):
        folder = tmp_path / str(n) / "model"
        with failing_call(n) as count:
            try:
                write_folder(folder, NEW)
            except CheckpointError as error:
                assert str(folder) in str(error) and "no space left on device; free" in str(error)
        assert visible(folder.parent) in ({}, encoded(NEW)), n
        if count() < n:
            break
    assert n > 10


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("thesis.tex", "precious"),
        ("config.json", '{"scripts": {"build": "make"}}'),
        ("config.json", "[1]"),
        ("config.json", "{"),
    ],
)
def test_other_folders_are_kept(tmp_path: Path, name: str, text: str) -> None:
    """A folder without the mark of Unwarp is not replaced, whatever it holds."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / name).write_text(text)
    with pytest.raises(CheckpointError, match="is not a model folder of Unwarp; choose another"):
        write_folder(tmp_path / "model", NEW)
    assert contents(tmp_path) == {f"model/{name}": text.encode()}


@pytest.mark.parametrize("name", ["thesis.tex", "README.md", "src/main.py", "x/y"])
def test_foreign_files_are_kept(tmp_path: Path, name: str) -> None:
    """A model folder is not replaced with the file of a user beside the model, or in its place."""
    write_folder(tmp_path / "model", {k: v for k, v in OLD.items() if k != "x"})
    path = tmp_path / "model" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("precious")
    before = contents(tmp_path)
    with pytest.raises(CheckpointError, match=f"holds {name.split('/')[0]}, which is not of the"):
        write_folder(tmp_path / "model", NEW)
    assert contents(tmp_path) == before


def test_linked_folder_is_written_if_ours(tmp_path: Path) -> None:
    """The model behind a link is replaced and the link stays; other targets are refused."""
    write_folder(tmp_path / "model", OLD)
    (tmp_path / "empty").mkdir()
    for target in ("model", "empty", "absent"):
        (tmp_path / f"link-{target}").symlink_to(tmp_path / target)
    write_folder(tmp_path / "link-model", NEW)
    assert (tmp_path / "link-model").is_symlink()
    for target in ("empty", "absent"):
        with pytest.raises(CheckpointError, match="not a model folder"):
            write_folder(tmp_path / f"link-{target}", NEW)
    assert {"link-empty", "link-absent"} < {path.name for path in tmp_path.iterdir()}
    assert encoded(NEW).items() <= contents(tmp_path).items() and not (tmp_path / "absent").exists()


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_modes_follow_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    """A folder and its files are readable for those whom the umask admits."""
    previous = os.umask(umask)
    try:
        write_folder(tmp_path / "model", {**NEW, "weights": {"x": torch.ones(2)}})
    finally:
        os.umask(previous)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {mode}
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o777 & ~umask


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the home folder for a folder that is written."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_folder("~/model", NEW)
    assert contents(tmp_path) == encoded(NEW)


@pytest.mark.parametrize("value", [None, 3, b"model", [], True])
def test_paths_are_texts(value: object) -> None:
    """Anything but a text or a path is refused where a folder is written."""
    with pytest.raises(ConfigError, match=r"is no path; give a text or a pathlib\.Path"):
        write_folder(value, NEW)  # type: ignore[arg-type]


def test_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    """A save into a folder that is being saved is refused by process and host, and changes none."""
    write_folder(tmp_path / "model", OLD)
    record = '{"pid": 77, "host": "another-computer", "thread": 1}'
    (tmp_path / ".model.lock").write_text(record)
    with pytest.raises(
        CheckpointError, match=r"model: in use by process 77 on another-computer; wait .*\.lock"
    ):
        write_folder(tmp_path / "model", NEW)
    (tmp_path / ".model.lock").unlink()
    assert contents(tmp_path) == encoded(OLD)


def test_held_folder_is_refused(tmp_path: Path) -> None:
    """A run folder names its owner; a file with the name of the lock that is none is kept."""
    with hold_folder(tmp_path), hold_folder(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["unwarp.lock"]
    assert not list(tmp_path.iterdir())
    (tmp_path / "unwarp.lock").write_text("a poem")
    with pytest.raises(CheckpointError, match=r"unwarp\.lock is in the way and is no lock"):
        hold_folder(tmp_path).__enter__()
    assert (tmp_path / "unwarp.lock").read_text() == "a poem"


def test_only_dead_locks_are_cleared(tmp_path: Path) -> None:
    """The lock of a dead process goes, that of a process on another computer stays."""
    lock = tmp_path / ".model.lock"
    for pid, host in ((DEAD_PID, socket.gethostname()), (77, "another-computer")):
        lock.write_text(json.dumps({"pid": pid, "host": host, "thread": 1}))
        clear_lock(tmp_path / "model")
        assert lock.exists() == (pid == 77)


@pytest.mark.parametrize("folder", ["", ".", "a/..", "/"])
def test_folder_without_name_is_refused(folder: str) -> None:
    """The current folder, one above it and the root cannot be exchanged."""
    with pytest.raises(CheckpointError, match="is no name of a folder; write the name"):
        write_folder(folder, NEW)


def test_zero_byte_is_typed() -> None:
    """A path that the system cannot have is refused as an argument."""
    with pytest.raises(ConfigError, match="holds a zero byte"):
        write_folder("a\0b", NEW)


SAVES = """
import sys, time
from pathlib import Path
from unwarp.errors import CheckpointError
from unwarp.storage.folders import write_folder
text = sys.argv[2] * 4000
config = '{"format_version": 2, "unwarp": "0.1", "text": "%s"}' % sys.argv[2]
saves, end = 0, time.monotonic() + 60
while saves < 10 and time.monotonic() < end:
    try:
        write_folder(Path(sys.argv[1]), {"config.json": config, "x": text})
        saves += 1
    except CheckpointError as error:
        assert "in use by" in str(error), error
        time.sleep(0.002)
print(saves)
"""


@pytest.mark.slow
def test_savers_at_once_do_not_mix(tmp_path: Path) -> None:
    """Three processes save 10 times each: the model is one of theirs, the others are refused."""
    commands = [[sys.executable, "-c", SAVES, str(tmp_path / "model"), name] for name in "abc"]
    with ExitStack() as stack:
        savers = [
            stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
            for command in commands
        ]
        assert [saver.communicate()[0].strip() for saver in savers] == [b"10"] * 3
    files = contents(tmp_path)
    assert set(files) == {"model/config.json", "model/x"}
    writer = files["model/x"][:1]
    assert files["model/x"] == writer * 4000 and b'"%s"' % writer in files["model/config.json"]


def test_unwritable_place_is_typed(tmp_path: Path) -> None:
    """A parent that is a file, and a file in place of the folder, are refused by name."""
    (tmp_path / "file").write_text("precious")
    for folder in (tmp_path / "file", tmp_path / "file" / "model", tmp_path / "file" / "a" / "b"):
        with pytest.raises(CheckpointError, match=rf"{folder}.*choose another place"):
            write_folder(folder, NEW)
    assert contents(tmp_path) == {"file": b"precious"}


def test_long_names_are_typed(tmp_path: Path) -> None:
    """A name that the system refuses is an error by type; there is nothing to recover."""
    path = tmp_path / ("x" * 300)
    with pytest.raises(CheckpointError, match="file name too long; choose another place"):
        write_folder(path, NEW)
    recover_folder(path)
    assert not list(tmp_path.iterdir())


def test_circles_of_links_are_refused(tmp_path: Path) -> None:
    """A link to itself is neither followed for ever nor replaced."""
    link = tmp_path / "link"
    link.symlink_to(link)
    recover_folder(link)
    with pytest.raises(CheckpointError, match="is not a model folder of Unwarp"):
        write_folder(link, NEW)
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_folders_above_are_made(tmp_path: Path) -> None:
    """A folder is written with all folders above it."""
    write_folder(tmp_path / "f" / "g" / "model", NEW)
    assert (tmp_path / "f/g/model/x").exists()


@pytest.mark.parametrize(
    "mark", ["[" * 100_000, '{"unwarp": "0.1"}', '{"format_version": 2}', "\xff\xfe", "7"]
)
def test_marks_have_both_keys(tmp_path: Path, mark: str) -> None:
    """Only a configuration with the version of the format and of Unwarp is its mark."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_bytes(mark.encode("latin1"))
    with pytest.raises(CheckpointError, match="exists and is not a model folder of Unwarp"):
        write_folder(tmp_path / "model", NEW)
    assert contents(tmp_path) == {"model/config.json": mark.encode("latin1")}


def test_text_of_a_user_is_kept(tmp_path: Path) -> None:
    """A README with another heading is the user's; ours is replaced, whatever follows."""
    write_folder(tmp_path / "model", OLD)
    readme = tmp_path / "model" / "README.md"
    readme.write_text("# Unwarp model\n\nof another shape")
    write_folder(tmp_path / "model", NEW)
    assert contents(tmp_path) == encoded(NEW)
    readme.write_text("# Results of my thesis\n")
    with pytest.raises(CheckpointError, match=r"holds README\.md, which is not of the model"):
        write_folder(tmp_path / "model", OLD)
    for name in ("x", "y"):  # a folder and a link in place of a file are not ours, either
        readme.write_text("# Unwarp model\n")
        path = tmp_path / "model" / name
        path.unlink()
        path.mkdir() if name == "x" else path.symlink_to(readme)
        with pytest.raises(CheckpointError, match=f"holds {name}, which is not of the model"):
            write_folder(tmp_path / "model", NEW)
        path.rmdir() if name == "x" else path.unlink()


def test_tensors_are_written_as_they_are(tmp_path: Path) -> None:
    """Tensors of any strides, bytes and text come back from a folder."""
    weights = torch.arange(6.0).reshape(2, 3).mT
    files = {**OLD, "w": {"a": weights}, "b": bytearray(b"bytes"), "t": "\u00e9"}
    write_folder(tmp_path / "model", files)  # type: ignore[arg-type]
    assert torch.equal(load((tmp_path / "model" / "w").read_bytes())["a"], weights)
    assert (tmp_path / "model" / "b").read_bytes() == b"bytes"
    assert (tmp_path / "model" / "t").read_text("utf-8") == "\u00e9"


def test_failed_recovery_is_typed(tmp_path: Path) -> None:
    """A backup that cannot be moved back is named with its place, and stays."""
    write_folder(tmp_path / "model", OLD)
    (tmp_path / "model").rename(tmp_path / ".model.unwarp-backup")
    with (
        pytest.raises(CheckpointError, match=r"move .*unwarp-backup back to .*model: no space"),
        failing_call(3),
    ):
        recover_folder(tmp_path / "model")
    recover_folder(tmp_path / "model")
    assert contents(tmp_path) == encoded(OLD)


def test_recovery_replaces_nothing(tmp_path: Path) -> None:
    """A folder that exists, or has no backup, stays as it is, a link to it included."""
    write_folder(tmp_path / "model", OLD)
    (tmp_path / "link").symlink_to(tmp_path / "model")
    (tmp_path / ".model.unwarp-backup").mkdir()
    for name in ("model", "link", "absent"):
        recover_folder(tmp_path / name)
    assert contents(tmp_path) == encoded(OLD)
    assert {path.name for path in tmp_path.iterdir()} == {"model", "link", ".model.unwarp-backup"}


def test_recovery_follows_links(tmp_path: Path) -> None:
    """The model behind a link is brought back at its own place."""
    write_folder(tmp_path / "model", OLD)
    (tmp_path / "link").symlink_to(tmp_path / "model")
    (tmp_path / "model").rename(tmp_path / ".model.unwarp-backup")
    recover_folder(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert encoded(OLD).items() <= contents(tmp_path).items()


def test_desktop_files_are_not_missed(tmp_path: Path) -> None:
    """Files that a desktop adds keep neither an empty folder nor a model from being replaced."""
    (tmp_path / "model").mkdir()
    for files in (OLD, NEW):
        (tmp_path / "model" / ".DS_Store").write_text("icons")
        write_folder(tmp_path / "model", files)
        assert contents(tmp_path) == encoded(files)


def test_only_storage_writes() -> None:
    """No other part of the library replaces, moves or deletes files by itself."""
    root = Path(unwarp.__file__).parent
    call = re.compile(
        r"write_bytes|write_text|save_file|rmtree|os\.replace|mkdtemp|mkstemp|\.rename\("
    )
    writers = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if any(call.search(line) for line in path.read_text("utf-8").splitlines())
    }
    assert writers <= {"disk/files.py", "storage/folders.py"}


def test_tree_appears_whole(tmp_path: Path) -> None:
    """A new or empty folder gets all files with their subfolders; desktop files do not count."""
    for name in ("new", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        (tmp_path / "empty" / ".DS_Store").touch()
        write_tree(tmp_path / name, [("a/b.txt", b"1"), ("c.txt", b"2")])
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        assert [path.read_bytes() for path in files] == [b"1", b"2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "new"]


@pytest.mark.parametrize("name", ["../out.txt", "/out.txt", "a/../../out.txt"])
def test_tree_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    """A name that leads out of the folder is refused, and nothing is left."""
    with pytest.raises(ConfigError, match="leads out of the folder"):
        write_tree(tmp_path / "new", [("a.txt", b"1"), (name, b"2")])
    assert not list(tmp_path.iterdir())


def test_tree_replaces_nothing(tmp_path: Path) -> None:
    """A folder with files, a file, a link and a part of an input stay as they are."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("a diary")
    (tmp_path / "link").symlink_to(tmp_path / "full")
    for name in ("full", "full/a.txt", "link", "full/new"):
        with pytest.raises(ConfigError, match="choose another place with --out"):
            write_tree(tmp_path / name, [("a.txt", b"1")], [tmp_path / "full"])
    assert (tmp_path / "full" / "a.txt").read_text() == "a diary"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "link"]
