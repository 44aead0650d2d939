"""Maps: principal components keep distances, t-SNE keeps neighbours, and files are kept once."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pytest

from unwarp.app.explorer import maps
from unwarp.app.explorer.maps import BackgroundMap, keep_points, pca_points, read_points

RANDOM = np.random.default_rng(0)


def blobs(n: int) -> np.ndarray:
    """Codes (3 n, 5) of three distant groups."""
    centres = 50 * np.eye(5, dtype=np.float32)[:3]
    return np.repeat(centres, n, 0) + RANDOM.normal(size=(3 * n, 5)).astype(np.float32)


def nearest_share(points: np.ndarray, n: int) -> float:
    """Share of points whose nearest other point is of their group."""
    distances = ((points[:, None] - points[None]) ** 2).sum(-1) + 1e9 * np.eye(len(points))
    return float((distances.argmin(1) // n == np.arange(len(points)) // n).mean())


def test_components_keep_distances() -> None:
    """Codes on a plane are moved, turned and scaled alike in both directions."""
    plane = RANDOM.normal(size=(40, 2)) * [3, 1]
    codes = plane @ np.linalg.qr(RANDOM.normal(size=(6, 6)))[0][:2] + 7
    points = pca_points(codes)
    assert np.abs(points).max() == pytest.approx(1)
    ours, theirs = (np.linalg.norm(x - x[0], axis=1)[1:] for x in (points, plane))
    np.testing.assert_allclose(ours / theirs, (ours / theirs)[0], rtol=1e-4)


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (5, 1), (4, 2)])
def test_components_of_few_codes(shape: tuple[int, int]) -> None:
    """Any collection has finite points, one sample each."""
    points = pca_points(np.ones(shape, np.float32))
    assert points.shape == (shape[0], 2) and np.isfinite(points).all()


def test_rest_is_placed_in_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes beyond the limit of t-SNE lie among the embedded ones of their group."""
    monkeypatch.setattr(maps, "MAX_POINTS_OF_TSNE", 60)
    points = maps.tsne_points(blobs(40))
    assert points.shape == (120, 2) and nearest_share(points, 40) == 1.0


def test_kept_points_belong_to_their_codes(tmp_path: Path) -> None:
    """Points of other codes, and damaged files, are not used."""
    codes, path = blobs(3), tmp_path / "points.npz"
    points = np.linspace(-1, 1, 18, dtype=np.float32).reshape(9, 2)
    keep_points(path, codes, points)
    np.testing.assert_array_equal(read_points(path, codes + 1e-6), points)
    assert read_points(path, codes + 0.1) is None and read_points(path, codes[:5]) is None
    path.write_bytes(path.read_bytes()[:-30])
    assert read_points(path, codes) is None
    assert read_points(tmp_path / "absent.npz", codes) is None


@pytest.mark.slow
def test_background_keeps_its_points(tmp_path: Path) -> None:
    """A process computes them once; the next server reads them."""
    codes = blobs(8)
    background = BackgroundMap(codes, tmp_path)
    background.begin()
    deadline = time.monotonic() + 120
    while (points := background.points()) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert points is not None and nearest_share(points, 8) > 0.9
    assert [path.name for path in tmp_path.iterdir()] == [maps.FILE_NAME]
    np.testing.assert_array_equal(BackgroundMap(codes, tmp_path).points(), points)


def test_closed_background_ends_its_process() -> None:
    """No process and no file outlives the server."""
    background = BackgroundMap(blobs(100), None)
    background.begin()
    process, folder = background._process, background._folder
    assert process is not None and folder is not None and background.points() is None
    background.close()
    assert process.poll() is not None and not Path(folder.name).exists()


def test_failed_background_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends without points is no map, and leaves no file."""
    monkeypatch.setattr(maps, "COMMAND", (sys.executable, "-c", "raise SystemExit(3)"))
    background = BackgroundMap(blobs(3), tmp_path)
    background.begin()
    assert background._process is not None
    background._process.wait(60)
    with pytest.raises(RuntimeError, match="t-SNE failed"):
        background.points()
    assert not list(tmp_path.iterdir())
    background.close()
