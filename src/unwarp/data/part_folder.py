"""Folders that are written part by part, despite interruptions.

A folder that is being written holds its plan, and a log of the parts that are complete, each with
its checksum. At the end a manifest replaces both. Each part is written completely or not at all.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Any

from unwarp._version import __version__
from unwarp.disk.files import Write, clean_leftovers, read_plain
from unwarp.errors import ConfigError, DataError
from unwarp.storage.files import check_writable, expand, write_file
from unwarp.storage.folders import DESKTOP_FILES, LOCK_NAME, hold_folder

FORMAT_VERSION = 1
"""Version of the manifest; a reader refuses a greater one."""

MANIFEST, PLAN, LOG = "manifest.json", "unfinished.json", "unfinished.log"
"""Names of the manifest, and of the plan and the log of a folder that is not complete."""

MAX_PROGRESS_LINES = 10
"""Number of lines that tell people about the progress of a long work."""

PART_NAME = re.compile(r"(samples|part)-\d{5,}\.(npy|parquet)")
"""Names of parts."""

MARK = "unwarp_parts"
"""Key of manifests and plans, whose value is the version of the format."""


@dataclass(frozen=True)
class Part:
    """A file of a folder of parts.

    Attributes:
        name: Name of the file.
        rows: Number of rows in it.
        n_bytes: Size of the file in bytes.
        sha256: Checksum of the file, as 64 hexadecimal digits.

    >>> Part("samples-00000.npy", 10, 1128, "0" * 64).rows
    10
    """

    name: str
    rows: int
    n_bytes: int
    sha256: str

    @property
    def is_plausible(self) -> bool:
        """Whether the fields have their types, and the name no folder."""
        numbers, texts = (self.rows, self.n_bytes), (self.name, self.sha256)
        has_types = all(isinstance(n, int) and n >= 0 for n in numbers)
        has_types = has_types and all(isinstance(text, str) for text in texts)
        return has_types and Path(self.name).name == self.name

    @classmethod
    def of(cls, path: Path, rows: int) -> Part:
        """The record of a file that is complete.

        Args:
            path: The file.
            rows: Number of rows in it.
        """
        with path.open("rb") as file:
            return cls(
                path.name, rows, path.stat().st_size, file_digest(file, "sha256").hexdigest()
            )

    def damage(self, folder: Path, has_checksum: bool) -> str:
        """The difference of the file from its record, in words.

        Args:
            folder: Folder of the file.
            has_checksum: Whether to read the file and compare its checksum, too.

        Returns:
            The difference; empty if there is none.
        """
        path = folder / self.name
        if not path.is_file():
            return "is missing"
        n_bytes = path.stat().st_size
        if n_bytes != self.n_bytes:
            return f"has {n_bytes:,} bytes instead of {self.n_bytes:,}"
        if has_checksum and Part.of(path, self.rows).sha256 != self.sha256:
            return "has another checksum than when it was written"
        return ""


@dataclass
class PartFolder:
    """A folder that is being written part by part.

    `opened_parts` returns one.

    Attributes:
        folder: The folder.
        plan: Facts that decide the content of each part; JSON values by name.
        parts: Complete parts by the names of their files.
        manifest: The manifest of a folder that is complete; None before.
    """

    folder: Path
    plan: Mapping[str, Any]
    parts: dict[str, Part] = field(default_factory=dict)
    manifest: Mapping[str, Any] | None = None

    def write(self, name: str, rows: int, content: bytes | Write) -> None:
        """Write a part, unless it is complete already.

        Args:
            name: Name of the file.
            rows: Number of rows in it.
            content: Its bytes, or a function that writes them to an opened file.

        Raises:
            ConfigError: The file cannot be written.
        """
        if name not in self.parts:
            self.add(write_part(self.folder, name, rows, content))

    def add(self, part: Part) -> None:
        """Note that a part is complete.

        Args:
            part: Its record.
        """
        with (self.folder / LOG).open("ab") as file:
            file.write(json.dumps(asdict(part)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.parts[part.name] = part

    def finish(self, names: Iterable[str], **facts: Any) -> None:
        """Write the manifest, after which the folder is complete.

        Args:
            names: Names of all parts, in the order of their rows.
            facts: Further JSON values of the manifest.
        """
        parts = [asdict(self.parts[name]) for name in names]
        companions = [part for part in map(asdict, self.parts.values()) if part not in parts]
        head = {MARK: FORMAT_VERSION, "unwarp": __version__}
        self.manifest = {**head, **self.plan, **facts, "parts": parts, "companions": companions}
        write_file(self.folder / MANIFEST, json.dumps(self.manifest, indent=1))
        for name in (PLAN, LOG):
            (self.folder / name).unlink(missing_ok=True)


def announce(count: int, total: int, on_message: Callable[[str], None]) -> None:
    """Tell people how many parts are complete, about ten times in all.

    Args:
        count: Number of complete parts.
        total: Number of all parts.
        on_message: Function that shows a line to people.

    >>> for count in range(1, 15):
    ...     announce(count, 100, print)
    10 of 100 parts
    """
    step = max(1, total // MAX_PROGRESS_LINES)
    if count % step == 0 or count == total:
        on_message(f"{count:,} of {total:,} parts")


def write_part(folder: Path, name: str, rows: int, content: bytes | Write) -> Part:
    """Write a part completely or not at all.

    Args:
        folder: The folder.
        name: Name of the file.
        rows: Number of rows in it.
        content: Its bytes, or a function that writes them to an opened file.

    Returns:
        The record of the file.

    Raises:
        ConfigError: The file cannot be written.
    """
    write_file(folder / name, content)
    return Part.of(folder / name, rows)


@contextmanager
def opened_parts(
    folder: str | Path, plan: Mapping[str, Any], inputs: Iterable[str | Path] = ()
) -> Iterator[PartFolder]:
    """A folder to write parts to, locked against other processes.

    Complete parts of an interrupted call with the same plan are kept if their checksums agree.

    Args:
        folder: A new or empty folder, or one that was written by the same plan; `~` is the home
            folder.
        plan: Facts that decide the content of each part; JSON values by name.
        inputs: Files and folders that the parts are made from, which stay as they are.

    Yields:
        The folder. Its `manifest` is not None if it is complete already.

    Raises:
        ConfigError: The folder holds other files, or parts of another plan, or cannot be written.
        DataError: The folder is complete, but parts are missing or have other sizes.
        CheckpointError: Another process writes to it.
    """
    folder = expand(folder)
    check_writable(folder / MANIFEST, inputs)
    plan = json.loads(json.dumps(plan))
    with hold_folder(folder):
        manifest = _check_folder(folder, plan)
        if manifest is not None:
            parts = parts_of(manifest) + parts_of(manifest, "companions")
            check_parts(folder, parts, has_checksum=False)
            yield PartFolder(folder, plan, manifest=manifest)
            return
        clean_leftovers(folder)
        if not (folder / PLAN).exists():
            write_file(folder / PLAN, json.dumps({MARK: FORMAT_VERSION, **plan}, indent=1))
        yield PartFolder(folder, plan, _complete_parts(folder))


def _check_folder(folder: Path, plan: Mapping[str, Any]) -> dict[str, Any] | None:
    """The manifest of a complete folder of a plan; refuse any other that is not empty."""
    manifest, unfinished = read_record(folder / MANIFEST), read_record(folder / PLAN)
    record = manifest or unfinished
    if record is None:
        names = {entry.name for entry in folder.iterdir()} - {LOCK_NAME, *DESKTOP_FILES}
        if names:
            raise ConfigError(
                f"cannot write {folder}: it holds files, such as {min(names)}; choose another "
                "place with --out"
            )
        return None
    changes = [name for name, value in plan.items() if record.get(name) != value]
    if changes:
        state = "complete" if manifest else "unfinished"
        raise ConfigError(
            f"cannot write {folder}: it holds {state} parts of other work ({changes[0]}="
            f"{record.get(changes[0])!r} there, {plan[changes[0]]!r} here); delete it, or choose "
            "another place with --out"
        )
    return manifest


def _complete_parts(folder: Path) -> dict[str, Part]:
    """Parts in the log of a folder whose checksums agree; the log keeps only these."""
    log, parts = folder / LOG, dict[str, Part]()
    lines = log.read_bytes().splitlines() if log.exists() else []
    for line in lines:
        try:
            part = Part(**json.loads(line))
        except (ValueError, TypeError):  # the last line of an interrupted call
            continue
        if not part.damage(folder, has_checksum=True):
            parts[part.name] = part
    text = "".join(json.dumps(asdict(part)) + "\n" for part in parts.values())
    write_file(log, text)
    return parts


def read_record(path: Path) -> dict[str, Any] | None:
    """The content of a manifest or a plan.

    Args:
        path: The file.

    Returns:
        Its JSON values; None if the file is absent or is not of Unwarp.

    Raises:
        DataError: The file is damaged, or a later version of Unwarp wrote it.
    """
    if not path.is_file():
        return None
    content = read_plain(path)
    try:
        record = json.loads(content)
    except ValueError as error:
        if MARK.encode() in content or has_parts(path.parent):
            raise damaged_record(path, f"it is cut off or no JSON, {error}") from None
        return None
    if not isinstance(record, dict) or MARK not in record:
        if is_record_without_mark(record) and has_parts(path.parent):
            raise damaged_record(path, f"{MARK!r} is missing")
        return None
    version = record[MARK]
    if not isinstance(version, int) or not version >= 1:
        raise damaged_record(path, f"{MARK}={version!r} is no version of the format")
    if version != FORMAT_VERSION:
        raise DataError(
            f"{path} has version {version!r} of the format, this Unwarp reads {FORMAT_VERSION}; "
            "install the newest Unwarp"
        )
    return record


def has_parts(folder: Path) -> bool:
    """Whether a folder holds files with names of parts.

    Args:
        folder: The folder.
    """
    return any(PART_NAME.fullmatch(path.name) for path in folder.iterdir())


def is_record_without_mark(record: Any) -> bool:
    """Whether JSON values have the lists of a manifest.

    Args:
        record: The values.

    >>> is_record_without_mark({"parts": [], "companions": []}), is_record_without_mark([])
    (True, False)
    """
    return isinstance(record, dict) and {"parts", "companions"} <= record.keys()


def damaged_record(path: Path, reason: str) -> DataError:
    """The error for a manifest or a plan that is damaged.

    Args:
        path: The file.
        reason: The damage in words.
    """
    return DataError(
        f"{path} is damaged ({reason}); copy it again, or delete {path.parent} and make it again "
        "(unwarp data make, align or embed)"
    )


def is_part_folder(folder: str | Path) -> bool:
    """Whether a folder was written in parts, to its end or not.

    Args:
        folder: The folder, which may be absent; `~` is the home folder.

    Raises:
        DataError: Its manifest is damaged, or a later version of Unwarp wrote it.
    """
    records = (read_record(expand(folder) / name) for name in (MANIFEST, PLAN))
    return any(record is not None for record in records)


def parts_of(record: Mapping[str, Any], key: str = "parts") -> list[Part]:
    """The parts that a manifest lists.

    Args:
        record: The manifest.
        key: `parts`, or `companions` for other files.

    Raises:
        DataError: There is no such list, or a part has other fields.
    """
    try:
        parts = [Part(**part) for part in record[key]]
    except (KeyError, TypeError) as error:
        raise DataError(f"{MANIFEST} is damaged ({error}); make the folder again") from error
    if mistakes := [part for part in parts if not part.is_plausible]:
        raise DataError(f"{MANIFEST} is damaged (it lists {mistakes[0]}); make the folder again")
    return parts


def check_parts(folder: Path, parts: Iterable[Part], has_checksum: bool) -> int:
    """Refuse a folder with damaged parts.

    Args:
        folder: The folder.
        parts: Records of the parts.
        has_checksum: Whether to read all files and compare their checksums; else only sizes are
            compared.

    Returns:
        Number of files.

    Raises:
        DataError: Parts are damaged or missing; the message names the first one.
    """
    parts = list(parts)
    damages = [(part.name, part.damage(folder, has_checksum)) for part in parts]
    damages = [(name, words) for name, words in damages if words]
    if damages:
        name, words = damages[0]
        more = f" ({len(damages)} of {len(parts)} files are damaged)" if len(damages) > 1 else ""
        raise DataError(
            f"{folder / name} {words}{more}; copy the file again, or delete the folder and make it "
            "again"
        )
    return len(parts)
