"""Aligned samples written in the form in which the user's samples came.

unwarp.write("aligned/", unwarper.align("cells/"), like="cells/")     files of the same names
unwarp.write("aligned.tif", aligned, like=source)                     a stack
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.data.array_likes import as_numpy
from unwarp.data.collections import SizedPictures, is_list_of_paths
from unwarp.data.form import Form, Mode, Output
from unwarp.data.formats.pillow_files import PillowMode
from unwarp.data.formats.registry import formats
from unwarp.data.formats.tiff import TiffMode, import_tifffile
from unwarp.data.layout import arrange_axes
from unwarp.data.opening import as_source
from unwarp.data.recording_form import RecordingForm, TableForm
from unwarp.data.source import Source
from unwarp.data.time_stamps import as_times
from unwarp.disk.paths import files_of
from unwarp.errors import ConfigError, DataError
from unwarp.storage.files import check_writable, expand, write_file
from unwarp.storage.folders import write_tree

FOLDER = ""
"""The format of a folder of files."""

PNG_CHANNELS = (1, 3)
"""Numbers of channels of pictures that a folder gets as `.png` files."""


def is_folder(path: str | Path) -> bool:
    """Whether a path is a folder for results.

    It ends in a slash, exists, or has no suffix.

    Args:
        path: The path.
    """
    has_suffix = bool(Path(path).suffix)
    return str(path).endswith(("/", "\\")) or not has_suffix or expand(path).is_dir()


def output_format(path: str | Path) -> str:
    """The format in which results are written to a path.

    Args:
        path: A folder, which ends in a slash, exists, or has no suffix; or a file.

    Returns:
        The suffix in lower case; empty for a folder.

    Raises:
        ConfigError: Results cannot be written in this format, or a package is missing.

    >>> output_format("aligned/"), output_format("a.NPY")
    ('', '.npy')
    """
    suffix = Path(path).suffix.lower()
    if is_folder(path):
        return FOLDER
    writable = {name: item for name, item in formats().items() if item.encode is not None}
    if suffix not in writable:
        raise ConfigError(
            f"out={path} ends in {suffix}, which results cannot be written as; give a folder, or a "
            f"file of {', '.join(writable)}"
        )
    try:
        writable[suffix].check_package(f"out={path}: writing {suffix} files")
        if suffix in (".tif", ".tiff"):
            import_tifffile(f"out={path}: writing")
    except DataError as error:
        raise ConfigError(str(error)) from error
    return suffix


def write(
    path: str | Path,
    x: Any,
    like: Any,
    *,
    alpha: Any = None,
    times: Any = None,
    inputs: Iterable[str | Path] = (),
) -> None:
    """Write samples in the form in which the user's samples came.

    A folder gets a file for each file that was read, of the same name, format, type, mode and size;
    for other series, a table for each series. A file gets all samples. It is written completely or
    not at all, and never over an input.

    Args:
        path: A new or empty folder, or a file; its suffix selects the format.
        x: Samples that belong to those of `like`, in their order, such as `unwarper.align(like)`.
        like: The samples as the user gave them: a path, or a result of `Unwarper.open`.
        alpha: Alpha channels (N, H, W) of pictures that may be transparent, aligned likewise:
            `unwarper.align(like, other=like.form.alpha)`. None if none was transparent.
        times: Times of the steps of series (T,), such as `unwarper.times_`, or a list of N arrays
            (T_i,); None for those of `like`, if `x` has as many steps.
        inputs: Files and folders that must stay as they are, besides the path `like`.

    Raises:
        ConfigError: The path cannot be written, is an input, or has an unknown suffix.
        DataError: `x` does not fit `like`.

    >>> from tempfile import TemporaryDirectory
    >>> X = np.zeros((3, 8, 9), np.uint8)
    >>> with TemporaryDirectory() as folder:
    ...     write(f"{folder}/aligned.npy", X, like=X)
    ...     np.load(f"{folder}/aligned.npy").shape
    (3, 8, 9)
    """
    paths = like if is_list_of_paths(like) else [like] if isinstance(like, str | Path) else []
    sources = [*inputs, *(file for path in paths for file in files_of(str(path)))]
    check_output(path, sources)
    source, suffix = as_source(like), output_format(path)
    if len(x) != len(source):
        raise DataError(f"x holds {len(x)} samples, like holds {len(source)}; give as many")
    output = as_output(source, x, alpha, times)
    if suffix == FOLDER:
        write_tree(path, contents(output), sources)
        return
    encode = formats()[suffix].encode
    assert encode is not None  # `output_format` has checked it
    write_file(Path(path), encode(output), sources)


def check_output(path: str | Path, inputs: Iterable[str | Path] = ()) -> None:
    """Refuse a path that results cannot be written to, before any work.

    Args:
        path: A folder or a file.
        inputs: Files and folders that must stay as they are.

    Raises:
        ConfigError: Its suffix is unknown, it cannot be written, it holds files, or it is an input.
    """
    if is_folder(path):
        write_tree(path, None, inputs)
    else:
        check_writable(Path(path), inputs)
        output_format(path)


def as_output(source: Source, x: Any, alpha: Any = None, times: Any = None) -> Output:
    """Samples on their way to a file.

    Args:
        source: The user's samples.
        x: Samples that belong to them, in their layout.
        alpha: Their alpha channels (N, H, W); None if they are opaque.
        times: Times of the steps of series; None for those of the source, if they fit.

    Raises:
        DataError: Times do not fit the series.
    """
    values = x if isinstance(x, list) else np.asarray(as_numpy(x))
    names, form = source.row_names, source.form
    pictures = _as_pictures(source, values)
    if pictures is not None and len(pictures) and not len(form.files):
        form = _plain_form(names, pictures, form)
    transparent = None if alpha is None else np.asarray(as_numpy(alpha))
    stamps = None if pictures is not None else _times_of(source, values, times)
    return Output(values, pictures, names, form, transparent, stamps)


def _times_of(source: Source, values: Any, times: Any) -> Array | list[Array] | None:
    """Times (T,) of all series or of each; None if unknown."""
    lengths = [np.shape(row)[-1] for row in values]
    if times is not None:
        stamps = as_times(times)
        rows = [stamps] * len(lengths) if isinstance(stamps, np.ndarray) else stamps
        if [len(row) for row in rows] != lengths:
            raise DataError(f"times do not fit series of {lengths[0]} steps; give one time a step")
        return stamps
    original = getattr(source.x, "times", None) if source.times is None else source.times
    if original is None or getattr(source.x, "has_time_stamps", True) is False:
        return None
    stamps = as_times(original)
    rows = [stamps] * len(lengths) if isinstance(stamps, np.ndarray) else stamps
    return stamps if [len(row) for row in rows] == lengths else None


def contents(output: Output) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files of a folder.

    Args:
        output: The samples.

    """
    if output.pictures is None:
        yield from _recordings(output)
        return
    yield from output.form.contents(output.pictures, output.alpha)


def _recordings(output: Output) -> Iterator[tuple[str, bytes]]:
    """Names and contents of files with a series each, in the forms in which these came."""
    form = output.form
    plain: list[tuple[str, RecordingForm]] = [
        (f"{name}.csv", TableForm()) for name in _file_names(output.names)
    ]
    for k, (name, file_form) in enumerate(form.recordings or plain):
        values = np.atleast_2d(output.x[k])
        stamps = output.times
        if stamps is not None and not (isinstance(stamps, np.ndarray) and stamps.ndim == 1):
            stamps = np.asarray(stamps[k])
        path = PurePosixPath(name)
        if path.suffix.lower() != file_form.suffix:
            path = path.with_name(path.name + file_form.suffix)
        yield str(path), file_form.encode(values, stamps, form.channels)


def _file_names(names: Array) -> list[str]:
    """Names of files from names of series, without marks that paths give a meaning."""
    plain = [re.sub(r"[/\\\\:*?\"<>|]", "_", str(name)) for name in names]
    width = len(str(max(len(names) - 1, 0)))
    if names.dtype.kind in "iu":
        return [f"series_{int(name):0{width}d}" for name in names]
    return plain if len(set(plain)) == len(plain) else [f"{k}_{n}" for k, n in enumerate(plain)]


def _as_pictures(source: Source, x: Array | list[Array]) -> Array | list[Array] | None:
    """The samples as pictures (N, C, H, W) or a list of these; None if they are series."""
    if isinstance(source.x, SizedPictures):
        return source.x.as_pictures(list(x))
    if isinstance(x, list) or source.domain == "series":
        return None
    if len(source.form.files):
        return x
    try:
        samples, domain = arrange_axes(x, source.domain, source.image_shape, source.layout)
    except (DataError, ConfigError):
        return None
    return samples if domain == "image" else None


def _plain_form(names: Array, pictures: Array | list[Array], form: Form) -> Form:
    """The form of pictures that came as an array: a `.png` or `.tif` file for each."""
    mode, suffix = _plain_mode(pictures[0])
    width = len(str(max(len(pictures) - 1, 0)))
    files = [
        f"{name:0{width}d}{suffix}" if isinstance(name, int | np.integer) else f"{name}{suffix}"
        for name in names
    ]
    return Form(files, [mode] * len(files), None, None, form.name, form.sample_axis, form.facts)


def _plain_mode(picture: Array) -> tuple[Mode, str]:
    """The mode and the suffix of the file of a picture (C, H, W)."""
    channels, dtype = len(picture), picture.dtype
    if dtype == np.uint8 and channels in PNG_CHANNELS:
        return PillowMode("PNG", "L" if channels == 1 else "RGB"), ".png"
    if dtype == np.uint16 and channels == 1:
        return PillowMode("PNG", "I;16"), ".png"
    return TiffMode(dtype, channels, page="YX" if channels == 1 else "YXS"), ".tif"
