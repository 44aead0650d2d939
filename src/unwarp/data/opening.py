"""Opening of paths, arrays and data sets as a `Source`.

The estimator, the command line and research code all open data with `as_source`, so that they get
the same samples. Each path is read only once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unwarp.core import IMAGES, SERIES
from unwarp.data.array_likes import as_numpy
from unwarp.data.collections import flattened, is_list_of_paths, sized
from unwarp.data.dataset import Dataset
from unwarp.data.formats.files import read
from unwarp.data.formats.frames import is_frame, read_frame
from unwarp.data.formats.images import read_files
from unwarp.data.formats.recordings import is_recording, read_recordings
from unwarp.data.frames import Frame
from unwarp.data.hints import NO_HINTS, Hints
from unwarp.data.index_times import index_times, is_series, refuse_frames
from unwarp.data.sizes import parse_sizes
from unwarp.data.source import Source, describe
from unwarp.data.streams import is_stream, read_stream


def as_source(X: Any, times: Any = None, hints: Hints = NO_HINTS) -> Source:
    """Samples of any form as a `Source`.

    Args:
        X: Path to a file or a folder, pattern, list of paths, array-like, list of series or of
            pictures, `Dataset` or `Source`; or a `DataLoader`, a `Dataset` of torch, or an iterator
            of batches, which are read once into one array. A source is read already, so that no
            file is read twice.
        times: Time stamps of series, used instead of those of `X`: (T,) that all series share,
            (N, T), or a list of N arrays (T_i,). None keeps the time stamps of `X`, such as those
            in the index of each `pandas.Series` of a list.
        hints: What the user knows about pictures that read two ways or differ in size.

    Returns:
        The samples, with the names, labels and times that the file or data set contains.

    Raises:
        DataError: A path does not exist or cannot be read.

    >>> as_source([[0.0, 1.0], [2.0, 3.0]], times=[0.0, 0.5]).times
    [0.0, 0.5]
    """
    source = _open(X, hints)
    if times is None and source.times is None:
        times = index_times(source.x)
    if source.layout == "auto" and hints.layout != "auto":
        source = replace(source, layout=hints.layout)
    if hints.image_shape is not None and source.image_shape is None:
        source = replace(source, image_shape=hints.image_shape)
    return source if times is None else replace(source, times=times)


def _open(X: Any, hints: Hints) -> Source:
    if isinstance(X, Source):
        return X
    if is_list_of_paths(X):
        source = read(X[0], hints) if len(X) == 1 else _read_files(X, hints)
        return replace(source, name=Path(X[0]).name if len(X) == 1 else Path(X[0]).parent.name)
    if isinstance(X, str | Path):
        return replace(_with_hints(read(X, hints), hints), name=Path(X).name)
    if is_stream(X):
        X = read_stream(X)
    refuse_frames(X)
    if is_series(X) and len(X) and is_series(X.iloc[0]):
        X = X.to_frame()
    if isinstance(X, Dataset):
        return _source_of_dataset(X)
    if is_frame(X) and hints.image_shape is None:
        return read_frame(X, hints)
    if _has_to_be_sized(X, hints):
        return Source(sized(X, hints), layout="channels_first")
    return Source(X, frame=Frame.of(X))


def _read_files(paths: Sequence[str | Path], hints: Hints) -> Source:
    """A collection of pictures, or of recordings, from their files."""
    files = [Path(path).expanduser() for path in paths]
    if all(path.is_file() and is_recording(path) for path in files):
        return read_recordings(files, hints)
    return read_files(paths, hints)


def _with_hints(source: Source, hints: Hints) -> Source:
    """A source that was read from a file, with the hints that its reader does not take."""
    source = flattened(source, hints)
    if _has_to_be_sized(source.x, hints) and source.form.sizing is None:
        return replace(source, x=sized(source.x, hints), layout="channels_first")
    if source.domain == "auto" and hints.layout != "auto":
        words = describe(as_numpy(source.x), hints.image_shape, "auto", hints.layout)
        return replace(source, description=words)
    return source


def _has_to_be_sized(X: Any, hints: Hints) -> bool:
    """Whether pictures must be brought to one size, or to the frame of a model.

    Files of pictures are sized by their reader.
    """
    if hints.sizes is None:
        return False
    shapes = {np.shape(row) for row in X} if isinstance(X, list | tuple) else {np.shape(X)[1:]}
    if any(len(shape) not in (2, 3) for shape in shapes):
        return hints.image_shape is None
    target = parse_sizes(hints.sizes)
    target = target if isinstance(target, tuple) else hints.frame
    sizes = {shape[1:] if len(shape) == 3 else shape for shape in shapes}
    return len(shapes) > 1 or (target is not None and sizes != {target})


def _source_of_dataset(data: Dataset) -> Source:
    """A data set as a source; values with a mask of False become NaN."""
    if data.mask is None:
        x = data.x
    else:
        x = data.x.masked_fill(~_expand_mask(data.mask, data.x), torch.nan)
    times = data.times.numpy() if isinstance(data.times, Tensor) else data.times
    domain = data.domain
    return Source(
        x.numpy(),
        data.ids,
        data.labels,
        domain="auto" if domain is None else domain.name,
        times=times,
        name=data.name,
        dataset=data,
    )


def _expand_mask(mask: Tensor, x: Tensor) -> Tensor:
    """A mask in the shape of the samples; a mask (N, T) of series applies to all channels."""
    return (mask[:, None] if mask.ndim < x.ndim else mask).expand_as(x)


def resolve_domain(x: Any, from_user: str, from_source: str, from_warp: str) -> str:
    """Name of the domain, from the user, source or warp.

    The domain that the user names is used, else the domain that the source implies. If both are
    `auto`, the domain of the warp is used in two cases: `x` is a list or has three axes, so that it
    can be read as images or as series; or the warp acts on a domain that a user registered, which
    is never inferred from an array. In all other cases the result is `auto`.

    Args:
        x: Samples as the user gave them.
        from_user: Domain that the user named, or `auto`.
        from_source: Domain that the file format or data set implies, or `auto`.
        from_warp: Domain that the warp acts on, or `auto`.

    Returns:
        Name of a domain, or `auto`: the number of axes then decides when the samples are parsed.

    >>> resolve_domain(torch.zeros(5, 9, 9), "auto", "auto", "series")
    'series'
    """
    explicit = from_user if from_user != "auto" else from_source
    is_ambiguous = getattr(x, "ndim", 3) == 3 or from_warp not in (
        "auto",
        IMAGES.name,
        SERIES.name,
    )
    return from_warp if explicit == "auto" and is_ambiguous else explicit
