"""dSprites: rendered frames against real ones, true maps, and the published file read without pickle."""

from __future__ import annotations

import csv
import io
import pickle
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from unwarp.core import Array
from unwarp.data.dataset import Dataset
from unwarp.datasets import dsprites
from unwarp.errors import DataError
from unwarp.warps import AffineMap, Similarity2d, Window

CELLS = 3 * 6 * 40 * 32 * 32


@pytest.fixture(scope="module")
def test_part() -> Dataset:
    return dsprites.load("test", 600)


def gif(folder: Path) -> tuple[Array, Array]:
    """Real frames (320, 64, 64) and their grid indices (320, 6)."""
    with Image.open(folder / "dsprites.gif") as file:
        frames = (
            np.stack([np.array(frame.convert("L")) for frame in ImageSequence.Iterator(file)]) > 127
        )
    with (folder / "gif_latents.csv").open() as file:
        table = [
            [0, *(int(row[name]) for name in ("shape", "scale", "orientation", "posX", "posY"))]
            for row in csv.DictReader(file)
        ]
    return frames, np.array(table)


def tiles(folder: Path) -> Array:
    """100 real frames (100, 64, 64) of unknown latents."""
    with Image.open(folder / "data_samples.png") as file:
        sheet = np.array(file.convert("L")) > 127
    return np.stack(
        [
            sheet[2 + 66 * r : 66 + 66 * r, 2 + 66 * c : 66 + 66 * c]
            for r in range(10)
            for c in range(10)
        ]
    )


def test_rendered_frames_are_the_real_ones_but_for_a_few_edge_pixels(real_data: Path) -> None:
    frames, table = gif(real_data / "dsprites")
    _, first = np.unique(table, axis=0, return_index=True)
    wrong = (dsprites.render(dsprites.values(table[first])) != frames[first]).sum((1, 2))
    assert len(first) == 258 and wrong.max() <= 4
    exact = [int((wrong[table[first, 1] == shape] == 0).sum()) for shape in range(3)]
    assert exact[0] >= 43 and exact[1] >= 37 and exact[2] >= 101


def test_wrong_pixels_lie_at_the_edge(real_data: Path) -> None:
    frames, table = gif(real_data / "dsprites")
    rendered = dsprites.render(dsprites.values(table)).astype(bool)
    around = np.stack([np.roll(frames, (x, y), (1, 2)) for x in (-1, 0, 1) for y in (-1, 0, 1)])
    inner, outer = around.all(0), ~around.any(0)
    assert rendered[inner].all() and not rendered[outer].any()


def test_every_real_sample_is_found_on_the_grid(real_data: Path) -> None:
    wrong = np.array([_nearest(tile) for tile in tiles(real_data / "dsprites")])
    assert (wrong == 0).sum() >= 72
    assert wrong.max() <= 7 and wrong.mean() <= 0.54


def _nearest(tile: Array) -> int:
    """Wrong pixels of the rendered frame that is nearest to `tile`, over shapes, scales, orientations and positions."""
    pose, area, offset = _poses()
    likely = np.abs(area - tile.sum()) <= 0.2 * tile.sum()
    found = pose[likely]
    place = _centroids(tile[None]) - offset[likely]
    found[:, 4:] = np.clip(np.round((place - 16) * 31 / 32), 0, 31)
    found = found[_wrong(found, tile).argsort()[:40]]
    near = np.array([(0, 0, 0, 0, x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)])
    around = (found[:, None] + near).reshape(-1, 6)
    return int(_wrong(np.clip(around, 0, (0, 2, 5, 39, 31, 31)), tile).min())


def _wrong(table: Array, tile: Array) -> Array:
    return (dsprites.render(dsprites.values(table)) != tile).sum((1, 2))


def _centroids(frames: Array) -> Array:
    centres = np.arange(64) + 0.5
    mass = frames.sum((1, 2))
    return np.stack(
        [(frames.sum(1) * centres).sum(1) / mass, (frames.sum(2) * centres).sum(1) / mass], 1
    )


@cache
def _poses() -> tuple[Array, Array, Array]:
    """Every shape, scale and orientation in the middle: grid indices, area, centroid relative to the middle."""
    grid = np.stack(
        np.meshgrid([0], range(3), range(6), range(39), [0], [0], indexing="ij"), -1
    ).reshape(-1, 6)
    values = dsprites.values(grid)
    values[:, 4:] = 0.5
    frames = dsprites.render(values)
    return grid, frames.sum((1, 2)), _centroids(frames) - 32


def test_areas_are_those_of_the_shapes() -> None:
    """At scale 1 a square of side 19.2, an ellipse of half-axes 12.76 and 7.22, and quadratic in scale."""
    table = dsprites.classes(dsprites.rows("train", 3000))
    area = dsprites.render(dsprites.values(table)).sum((1, 2)) / dsprites.values(table)[:, 2] ** 2
    for shape, expected in ((0, 19.2**2), (1, np.pi * 12.76 * 7.22)):
        mine = area[table[:, 1] == shape]
        assert float(mine.mean()) == pytest.approx(expected, rel=0.005)
        assert float(mine.std()) < 0.04 * expected


def test_rows_run_through_the_grid_as_the_published_file_does() -> None:
    rows = np.array([0, 1, 32, 1024, 40 * 1024, 6 * 40 * 1024, CELLS - 1])
    steps = [[0] * 6, *np.eye(6, dtype=int)[[5, 4, 3, 2, 1]].tolist(), [0, 2, 5, 39, 31, 31]]
    assert dsprites.classes(rows).tolist() == steps
    last = dsprites.values(dsprites.classes(rows[-1:]))[0]
    np.testing.assert_allclose(last, [1, 3, 1, 2 * np.pi, 1, 1])


def test_the_last_orientation_repeats_the_first() -> None:
    table = np.array([[0, shape, 5, turn, 10, 20] for turn in (0, 39) for shape in range(3)])
    frames = dsprites.render(dsprites.values(table))
    np.testing.assert_array_equal(frames[:3], frames[3:])


@pytest.mark.parametrize(("shape", "order"), dsprites.SYMMETRY.items())
def test_shapes_have_the_symmetry_that_is_said(shape: int, order: int) -> None:
    def turned(degrees: float) -> Array:
        return dsprites.render(np.array([[1, shape + 1, 1, np.deg2rad(degrees) + 0.1, 0.5, 0.5]]))[
            0
        ]

    upright = turned(0)
    assert (turned(360 / order) != upright).sum() <= 4
    for other in (30, 90, 180):
        if other % (360 / order):
            assert (turned(other) != upright).sum() > 30


def test_train_and_test_share_no_picture_whatever_their_seeds() -> None:
    test = np.concatenate([dsprites.rows("test", 70_000, seed=1), dsprites.rows("test", seed=2)])
    train = np.concatenate([dsprites.rows("train", 600_000, seed=3), dsprites.rows("train")])
    assert not np.intersect1d(test, train).size
    assert (
        len(np.unique(dsprites.rows("train"))) == 20_000
        and len(np.unique(dsprites.rows("test"))) == 4_000
    )
    assert (dsprites.classes(train)[:, 3] < 39).all()


def test_samples_are_a_function_of_their_seed_and_even_over_the_grid() -> None:
    rows = dsprites.rows("train")
    assert np.array_equal(rows, dsprites.rows("train", seed=0))
    assert not np.array_equal(rows, dsprites.rows("train", seed=1))
    for column, count in zip(dsprites.classes(rows).T, (1, 3, 6, 39, 32, 32), strict=True):
        seen = np.bincount(column, minlength=count)
        assert len(seen) == count
        assert (np.abs(seen - 20_000 / count) < 5 * np.sqrt(20_000 / count)).all()


def test_frames_are_black_and_white_pictures_with_their_shape_as_label(test_part: Dataset) -> None:
    assert test_part.x.shape == (600, 1, 64, 64) and test_part.x.dtype == torch.float32
    assert test_part.x.unique().tolist() == [0, 1]
    assert (
        "rendered, dSprites-equivalent" in test_part.name
        and "dSprites-equivalent" in test_part.source
    )
    table = dsprites.classes(dsprites.rows("test", 600))
    np.testing.assert_array_equal(test_part.labels, table[:, 1])
    np.testing.assert_array_equal(
        test_part.x[:, 0].numpy(), dsprites.render(dsprites.values(table))
    )


def test_true_maps_move_the_canonical_sprites_onto_the_frames(test_part: Dataset) -> None:
    assert test_part.maps is not None and test_part.labels is not None
    sprites = torch.from_numpy(dsprites.sprites()[test_part.labels]).float()[:, None]
    real = test_part.x > 0.5
    moved, back = test_part.maps(sprites) > 0.5, test_part.maps.invert()(test_part.x) > 0.5
    for one, two in ((moved, real), (back, sprites > 0.5)):
        overlap = (one & two).sum((1, 2, 3)) / (one | two).sum((1, 2, 3))
        assert float(overlap.min()) > 0.8 and float(overlap.mean()) > 0.92


def test_frames_are_their_canonical_shape_at_the_points_that_true_maps_pull(
    test_part: Dataset,
) -> None:
    """Exactly so: nothing is resampled, and the outlines are written out here."""
    assert test_part.maps is not None and test_part.labels is not None
    maps = AffineMap(test_part.maps.matrix.double())
    u, v = (32 * maps.pull(Window.frame((64, 64)).lattice(maps.matrix))).unbind(-1)
    square, ellipse = (u.abs() < 9.6) & (v.abs() < 9.6), (u / 12.76) ** 2 + (v / 7.22) ** 2 < 1
    for label, inside in ((0, square), (1, ellipse)):
        rows = torch.as_tensor(test_part.labels == label)
        wrong = inside[rows] != (test_part.x[rows].flatten(1) > 0.5)
        assert rows.sum() > 100 and wrong.float().mean() < 1e-5


def test_factors_are_the_columns_of_the_true_maps(test_part: Dataset) -> None:
    assert test_part.maps is not None and test_part.factor_values is not None
    found = {
        f.name: v.double().numpy()
        for f, v in Similarity2d(size=(64, 64)).summary(test_part.maps).items()
    }
    shape, scale, turn, x, y = test_part.factor_values.T
    np.testing.assert_array_equal(shape, test_part.labels)
    np.testing.assert_allclose((found["rotation_deg"] - turn + 180) % 360, 180, atol=1e-3)
    for name, column in (
        ("scale_x", scale),
        ("scale_y", scale),
        ("shift_x_px", x),
        ("shift_y_px", y),
    ):
        np.testing.assert_allclose(found[name], column, atol=1e-4)
    for factor, column in zip(test_part.factors, test_part.factor_values.T, strict=True):
        assert factor.low <= column.min() and column.max() <= factor.high
    assert [f.name for f in test_part.factors if f.periodic] == ["orientation_deg"]
    assert [len(np.unique(c)) for c in test_part.factor_values.T] == [3, 6, 39, 32, 32]


def test_a_heart_turned_by_a_quarter_points_to_the_right() -> None:
    """The tip of an upright heart is below; counter-clockwise as seen brings it to the right."""
    upright, turned = dsprites.render(
        np.array([[1, 3, 1, turn, 0.5, 0.5] for turn in (0, np.pi / 2)])
    )
    np.testing.assert_array_equal(np.rot90(upright), turned)
    rows, columns = (np.flatnonzero(upright.any(axis)) for axis in (1, 0))
    assert upright[rows[-2]].sum() < upright[rows[1]].sum() < columns.size


@pytest.mark.parametrize(("part", "n"), [("valid", None), ("train", 0), ("test", 100_000)])
def test_what_cannot_be_drawn_is_refused(part: str, n: int | None) -> None:
    with pytest.raises(DataError, match=r"part=|n="):
        dsprites.load(part, n)


class Trap:
    """Unpickling it is an error that no reader turns into another."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (_sprung, ())


def _sprung() -> None:
    raise KeyboardInterrupt("metadata was unpickled")


def members(n: int = 2500, **changes: Any) -> dict[str, Any]:
    """The arrays of a file in the published format, with the first `n` rows of the grid."""
    table = dsprites.classes(np.arange(n))
    found = {
        "metadata": np.array(Trap(), dtype=object),
        "imgs": dsprites.render(dsprites.values(table)),
        "latents_classes": table,
        "latents_values": dsprites.values(table),
    }
    return {name: value for name, value in (found | changes).items() if value is not None}


def put(path: Path, arrays: dict[str, Any]) -> Path:
    np.savez_compressed(path, allow_pickle=True, **arrays)
    return path


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put(tmp_path_factory.mktemp("dsprites") / "dsprites.npz", members())


ROWS = np.array([2499, 0, 1000, 999, 1000, 7])


def test_rows_of_the_published_file_come_as_asked_and_nothing_is_unpickled(published: Path) -> None:
    with pytest.raises(KeyboardInterrupt), np.load(published, allow_pickle=True) as archive:
        _ = archive["metadata"]
    data = dsprites.read(published, ROWS)
    table = dsprites.classes(ROWS)
    np.testing.assert_array_equal(data.x[:, 0].numpy(), dsprites.render(dsprites.values(table)))
    np.testing.assert_array_equal(data.labels, table[:, 1])
    assert data.name == "dsprites" and "equivalent" not in data.source
    assert data.maps is not None and data.factor_values is not None
    np.testing.assert_allclose(data.factor_values[:, 4], dsprites.values(table)[:, 5] * 32 - 16)


def test_unpacked_frames_are_the_same(published: Path, tmp_path: Path) -> None:
    to = dsprites.unpack(published, tmp_path / "imgs.npy")
    assert torch.equal(dsprites.read(published, ROWS, to).x, dsprites.read(published, ROWS).x)
    assert isinstance(np.load(to, mmap_mode="r"), np.memmap)
    assert list(tmp_path.iterdir()) == [to]
    to.write_bytes(to.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"imgs\.npy"):
        dsprites.read(published, ROWS, to)
    np.save(to, np.zeros((2499, 64, 64), np.uint8))
    with pytest.raises(DataError, match=r"2499.*unpack it again"):
        dsprites.read(published, ROWS, to)


def test_a_failed_unpacking_leaves_nothing(published: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.npz"
    raw = bytearray(published.read_bytes())
    with zipfile.ZipFile(published) as archive:
        raw[archive.getinfo("imgs.npy").header_offset + 20_000] ^= 0xFF
    broken.write_bytes(bytes(raw))
    with pytest.raises(DataError, match=r"broken\.npz"):
        dsprites.unpack(broken, tmp_path / "imgs.npy")
    assert list(tmp_path.iterdir()) == [broken]


@pytest.mark.parametrize("rows", [[-1], [2500], [0.5], [], [[1]]])
def test_rows_that_the_file_lacks_are_refused(published: Path, rows: list[Any]) -> None:
    with pytest.raises(DataError, match="0 to 2499"):
        dsprites.read(published, np.array(rows))


TABLE = dsprites.classes(np.arange(40))
SMALL = members(40)
WRONG = {
    "no frames": {"imgs": None},
    "no classes": {"latents_classes": None},
    "frames of 32 x 32": {"imgs": SMALL["imgs"][:, ::2, ::2]},
    "a frame too few": {"imgs": SMALL["imgs"][:-1]},
    "frames of floats": {"imgs": SMALL["imgs"].astype(float)},
    "frames in another order": {"imgs": np.asfortranarray(SMALL["imgs"])},
    "frames of 0 and 255": {"imgs": SMALL["imgs"] * 255},
    "pickled classes": {"latents_classes": TABLE.astype(object)},
    "five latents": {
        "latents_classes": TABLE[:, 1:],
        "latents_values": dsprites.values(TABLE)[:, 1:],
    },
    "a scale off the grid": {"latents_values": dsprites.values(TABLE) + 0.05},
    "a shape too many": {"latents_classes": TABLE + np.array([0, 3, 0, 0, 0, 0])},
    "values that are not numbers": {"latents_values": dsprites.values(TABLE) * np.nan},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
def test_wrong_contents_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = put(tmp_path / "other.npz", members(40, **changes))
    with pytest.raises(DataError, match=r"other\.npz"):
        dsprites.read(path, np.arange(40))


def test_bytes_too_many_are_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "long.npz", members(40, imgs=None))
    buffer = io.BytesIO()
    np.save(buffer, SMALL["imgs"])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("imgs.npy", buffer.getvalue() + b"\0")
    with pytest.raises(DataError, match="more than the 40 frames"):
        dsprites.read(path, np.arange(3))


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.99])
def test_a_cut_file_is_refused(published: Path, tmp_path: Path, keep: float) -> None:
    raw = published.read_bytes()
    path = tmp_path / "cut.npz"
    path.write_bytes(raw[: int(keep * len(raw))])
    with pytest.raises(DataError, match=r"cut\.npz"):
        dsprites.read(path, ROWS)


@pytest.mark.parametrize("member", ["imgs.npy", "latents_classes.npy", "latents_values.npy"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_flipped_byte_is_refused_wherever_it_is(
    published: Path, tmp_path: Path, member: str, share: float
) -> None:
    raw, path = bytearray(published.read_bytes()), tmp_path / "flipped.npz"
    with zipfile.ZipFile(published) as archive:
        info = archive.getinfo(member)
    raw[info.header_offset + 80 + int(share * (info.compress_size - 80))] ^= 0x10
    path.write_bytes(bytes(raw))
    with pytest.raises(DataError, match=r"flipped\.npz"):
        dsprites.read(path, np.arange(3))


def test_an_absent_file_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.npz does not exist.*https://"):
        dsprites.read(tmp_path / "nowhere.npz", np.arange(3))


def test_the_trap_works() -> None:
    with pytest.raises(KeyboardInterrupt):
        pickle.loads(pickle.dumps(Trap()))
