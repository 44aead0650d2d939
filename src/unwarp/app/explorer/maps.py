"""Maps of codes in two dimensions.

Principal components are there at once; t-SNE is computed in the background.

    python -m unwarp.app.explorer.maps CODES.npy POINTS.npy

computes t-SNE of an array of codes in a process of its own, so that the server stays fast.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile

import numpy as np

from unwarp.core import Array
from unwarp.disk.files import read_plain
from unwarp.errors import ConfigError
from unwarp.storage.files import write_file

MAX_POINTS_OF_TSNE = 10_000
"""Samples that t-SNE embeds; others are placed among the nearest of them."""

NEIGHBOURS_OF_REST = 5
"""Embedded samples among which another sample is placed."""

FILE_NAME = "explorer.tsne.npz"
"""File in a run folder that keeps the points of t-SNE."""

ROWS_PER_BLOCK = 2000
"""Samples that are placed at once, to bound the memory."""

COMMAND = (sys.executable, "-m", "unwarp.app.explorer.maps")
"""Command that computes t-SNE; the files of codes and points follow."""

NICENESS = 10
"""Priority of the process that computes t-SNE, below that of the server."""


def to_square(points: Array) -> Array:
    """Points within [-1, 1], both axes on one scale.

    Args:
        points: Points (N, 2).

    >>> to_square(np.array([[0.0, 0.0], [4.0, 2.0]])).tolist()
    [[-1.0, -0.5], [1.0, 0.5]]
    """
    if not len(points):
        return np.zeros((0, 2), np.float32)
    low, high = points.min(0), points.max(0)
    span = float((high - low).max()) or 1.0
    return np.asarray(2 * (points - (low + high) / 2) / span, np.float32)


def pca_points(codes: Array) -> Array:
    """First two principal components of codes, within [-1, 1].

    Args:
        codes: Codes (N, D).

    Returns:
        Points (N, 2), float32; the second column is 0 for codes of one dimension.
    """
    points = np.zeros((len(codes), 2))
    if len(codes) > 1:
        centred = np.asarray(codes, np.float64) - codes.mean(0)
        vectors = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :2]
        points[:, : vectors.shape[1]] = centred @ vectors
    return to_square(points)


def tsne_points(codes: Array, seed: int = 0) -> Array:
    """Points of t-SNE, within [-1, 1].

    Of more than 10,000 codes, a random 10,000 are embedded. Each other code gets the mean point
    of its five nearest embedded codes, weighted by distance.

    Args:
        codes: Codes (N, D).
        seed: Seed of the optimisation and of the choice.

    Returns:
        Points (N, 2), float32.
    """
    from unwarp.analysis.embedding import tsne

    if len(codes) < 3:
        return pca_points(codes)
    if len(codes) <= MAX_POINTS_OF_TSNE:
        return to_square(tsne(codes, seed))
    order = np.random.default_rng(seed).permutation(len(codes))
    embedded, rest = np.sort(order[:MAX_POINTS_OF_TSNE]), np.sort(order[MAX_POINTS_OF_TSNE:])
    points = np.zeros((len(codes), 2))
    points[embedded] = tsne(codes[embedded], seed)
    points[rest] = _placed(codes[rest], codes[embedded], points[embedded])
    return to_square(points)


def _placed(codes: Array, embedded: Array, points: Array) -> Array:
    """Points (M, 2) of codes (M, D) among embedded codes."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=NEIGHBOURS_OF_REST).fit(embedded)
    parts = []
    for start in range(0, len(codes), ROWS_PER_BLOCK):
        distances, rows = search.kneighbors(codes[start : start + ROWS_PER_BLOCK])
        weights = 1 / (distances + 1e-9)
        weights /= weights.sum(1, keepdims=True)
        parts.append(np.einsum("nk,nkd->nd", weights, points[rows]))
    return np.concatenate(parts)


class BackgroundMap:
    """t-SNE of codes, computed in the background.

    A process computes the points, and the run folder keeps them.

    Args:
        codes: Codes (N, D).
        folder: Run folder that keeps the points; None to keep them in memory alone.

    >>> background = BackgroundMap(np.zeros((0, 2), np.float32), None)
    >>> background.points().shape
    (0, 2)
    """

    def __init__(self, codes: Array, folder: Path | None) -> None:
        self.codes, self.start = codes, time.monotonic()
        self.path = None if folder is None else folder / FILE_NAME
        self._points = read_points(self.path, codes)
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: TemporaryDirectory[str] | None = None
        if self._points is None and len(codes) < 3:
            self._points = pca_points(codes)

    @property
    def seconds(self) -> float:
        """Time since the computation began."""
        return time.monotonic() - self.start

    def begin(self) -> None:
        """Start the process, unless the points are known already."""
        if self._points is not None or self._process is not None:
            return
        self._folder, self.start = TemporaryDirectory(prefix="unwarp-"), time.monotonic()
        names = [str(Path(self._folder.name) / name) for name in ("codes.npy", "points.npy")]
        np.save(names[0], self.codes)
        self._process = subprocess.Popen(
            [*COMMAND, *names],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def points(self) -> Array | None:
        """The points (N, 2); None while they are computed.

        The first call begins the computation.

        Raises:
            RuntimeError: The computation failed.
        """
        self.begin()
        if self._points is None and self._process is not None and self._folder is not None:
            if self._process.poll() is None:
                return None
            file = Path(self._folder.name) / "points.npy"
            if self._process.returncode or not file.is_file():
                raise RuntimeError("t-SNE failed")
            self._points = np.load(file)
            self.close()
            keep_points(self.path, self.codes, self._points)
        return self._points

    def close(self) -> None:
        """End the process and remove its files."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def identity_of_codes(codes: Array) -> str:
    """A checksum of codes, rounded to the digits that tables keep.

    Args:
        codes: Codes (N, D).
    """
    # adding 0 turns -0 into 0
    rounded = np.round(codes, 3).astype(np.float32) + 0
    return sha256(f"{codes.shape}".encode() + rounded.tobytes()).hexdigest()


def read_points(path: Path | None, codes: Array) -> Array | None:
    """Points of t-SNE that belong to codes; None if there are none.

    Args:
        path: File of the points; None for none.
        codes: The codes (N, D).
    """
    if path is None or not path.is_file():
        return None
    try:
        with np.load(io.BytesIO(read_plain(path)), allow_pickle=False) as file:
            points, identity = np.asarray(file["points"], np.float32), str(file["codes"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None  # a damaged file is computed anew
    is_same = points.shape == (len(codes), 2) and identity == identity_of_codes(codes)
    return points if is_same and np.isfinite(points).all() else None


def keep_points(path: Path | None, codes: Array, points: Array) -> None:
    """Write points of t-SNE beside a run, if that is possible.

    Args:
        path: The file; None for none.
        codes: The codes (N, D).
        points: Their points (N, 2).
    """
    if path is None or not path.parent.is_dir():
        return
    buffer = io.BytesIO()
    np.savez(buffer, points=points, codes=np.array(identity_of_codes(codes)))
    try:
        write_file(path, buffer.getvalue())
    except ConfigError:
        return  # a folder that may only be read: the points are computed again next time


def _end_with_server(parent: int) -> None:
    """End this process once the server is gone, even if it was killed."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def main(codes: str, points: str) -> None:
    """Compute t-SNE of a file of codes.

    Args:
        codes: File of codes (N, D), `.npy`.
        points: File that receives the points (N, 2).
    """
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    threading.Thread(target=_end_with_server, args=(os.getppid(),), daemon=True).start()
    result = tsne_points(np.load(codes))
    np.save(f"{points}.partial.npy", result)
    Path(f"{points}.partial.npy").replace(points)


if __name__ == "__main__":
    main(*sys.argv[1:])
