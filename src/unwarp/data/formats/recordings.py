"""Folders with a file a recording.

    runs/walk/anna.csv    runs/walk/ben.csv    runs/run/anna.csv

Files name the series. If every file is in a direct subfolder, the subfolders are the labels.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from unwarp.core import Array
from unwarp.data.form import Form
from unwarp.data.formats.images import class_names, is_hidden
from unwarp.data.formats.ragged import series_source
from unwarp.data.formats.registry import formats, recording_readers
from unwarp.data.formats.text import OPENERS
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.recording_form import Recording
from unwarp.data.source import Source
from unwarp.errors import DataError


def recording_suffixes() -> tuple[str, ...]:
    """Suffixes of files that can hold one recording, in lower case."""
    return tuple(recording_readers())


def is_recording(path: str | Path) -> bool:
    """Whether a file can hold one recording, by its suffix.

    Args:
        path: The path.
    """
    return Path(path).suffix.lower() in recording_suffixes()


def recordings_in(folder: Path) -> list[Path]:
    """Files of recordings in a folder, sorted.

    Those of subfolders count, hidden ones do not.

    Args:
        folder: The folder.
    """
    paths = (path for path in folder.rglob("*") if path.is_file() and is_recording(path))
    return sorted(path for path in paths if not is_hidden(path.relative_to(folder).as_posix()))


def read_recordings(
    paths: Sequence[Path], hints: Hints = NO_HINTS, root: Path | None = None
) -> Source:
    """Read a recording from each file.

    Args:
        paths: The files, in the order of the result.
        hints: The user's hints.
        root: Folder that names are relative to; None for the deepest one that holds all files.

    Returns:
        Series (N, T), (N, C, T) or a list of N arrays (C, T_i). The names are the paths of the
        files without their suffixes, and subfolders are labels as for pictures.

    Raises:
        DataError: A file is damaged or has other channels than the first one, or only some files
            have times.
    """
    base = root or Path(os.path.commonpath([path.parent.resolve() for path in paths]))
    files = [_relative(path, base) for path in paths]
    recordings = [_record(path, hints) for path in paths]
    _check_equal(paths, recordings)
    first = recordings[0]
    times = None if first.times is None else [_times(item) for item in recordings]
    suffixes = ", ".join(sorted({path.suffix.lower() for path in paths}))
    words = f"{first.notes}a recording in each {suffixes} file"
    words += f", channels {', '.join(first.channels)}" if first.channels else ""
    names = [_without_suffix(name) for name in files]
    names = names if len(set(names)) == len(names) else files
    values = [item.values for item in recordings]
    source = series_source(values, class_names(files), words, names, times, first.channels)
    forms = [(name, item.form) for name, item in zip(files, recordings, strict=True)]
    return replace(source, form=Form(channels=first.channels, recordings=forms))


def _relative(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path.resolve(), base.resolve())).as_posix()


def _without_suffix(name: str) -> str:
    """The name of a file without its suffixes."""
    path = Path(name)
    plain = path.with_suffix("") if path.suffix.lower() in OPENERS else path
    return plain.with_suffix("").as_posix()


def _record(path: Path, hints: Hints) -> Recording:
    """The recording of a file."""
    suffix = path.suffix.lower()
    formats()[suffix].check_package(f"{path}: reading {suffix} files")
    recording = recording_readers()[suffix](path, hints)
    if not recording.values.size or np.isnan(recording.values).all():
        raise DataError(f"{path} holds no value; remove it")
    return recording


def _times(recording: Recording) -> Array:
    assert recording.times is not None  # `_check_equal` has checked it
    return recording.times


def _check_equal(paths: Sequence[Path], recordings: Sequence[Recording]) -> None:
    """Refuse recordings that differ in channels or in whether they have times."""
    first = recordings[0]
    for path, item in zip(paths, recordings, strict=True):
        if len(item.values) != len(first.values) or item.channels != first.channels:
            raise DataError(
                f"{path} has {_channels(item)}, {paths[0]} has {_channels(first)}; give recordings "
                "of the same channels, or name those to read with value_columns"
            )
        if (item.times is None) != (first.times is None):
            one, other = (path, paths[0]) if item.times is None else (paths[0], path)
            raise DataError(f"{one} has no times, {other} has; give times in all files or in none")


def _channels(recording: Recording) -> str:
    """The channels of a recording in words."""
    n = len(recording.values)
    names = ", ".join(recording.channels[:8]) + (", ..." if n > 8 else "")
    return f"{n} channel{'s'[: n > 1]}" + (f" ({names})" if recording.channels else "")
