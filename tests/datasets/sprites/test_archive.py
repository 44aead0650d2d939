"""The published dSprites file: read without pickle, and refused if damaged."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.datasets.sprites.published import ROWS, Trap, arrays, write_file
from unwarp.datasets.sprites.archive import read_frames, unpack
from unwarp.datasets.sprites.grid import latent_classes, latent_values
from unwarp.datasets.sprites.renderer import render
from unwarp.errors import DataError


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in the published format."""
    return write_file(tmp_path_factory.mktemp("dsprites") / "dsprites.npz", arrays())


def test_trap_is_a_trap() -> None:
    """The object in the files of these tests raises when it is unpickled."""
    with pytest.raises(KeyboardInterrupt):
        pickle.loads(pickle.dumps(Trap()))


def test_metadata_is_not_unpickled(published: Path) -> None:
    """Rows come in the order that is asked for, while the pickle stays untouched."""
    with pytest.raises(KeyboardInterrupt), np.load(published, allow_pickle=True) as archive:
        _ = archive["metadata"]
    frames, classes = read_frames(published, ROWS)
    np.testing.assert_array_equal(classes, latent_classes(ROWS))
    np.testing.assert_array_equal(frames, render(latent_values(classes)))


def test_unpacked_frames_are_equal(published: Path, tmp_path: Path) -> None:
    """Frames mapped from the unpacked file are those streamed; a damaged one is refused."""
    to = unpack(published, tmp_path / "imgs.npy")
    mapped, streamed = read_frames(published, ROWS, to)[0], read_frames(published, ROWS)[0]
    np.testing.assert_array_equal(mapped, streamed)
    assert isinstance(np.load(to, mmap_mode="r"), np.memmap)
    assert list(tmp_path.iterdir()) == [to]
    to.write_bytes(to.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"imgs\.npy"):
        read_frames(published, ROWS, to)
    np.save(to, np.zeros((2499, 64, 64), np.uint8))
    with pytest.raises(DataError, match=r"2499.*unpack it again"):
        read_frames(published, ROWS, to)


def test_failed_unpacking_leaves_nothing(published: Path, tmp_path: Path) -> None:
    """A damaged file leaves no partial result."""
    broken = tmp_path / "broken.npz"
    raw = bytearray(published.read_bytes())
    with zipfile.ZipFile(published) as archive:
        raw[archive.getinfo("imgs.npy").header_offset + 20_000] ^= 0xFF
    broken.write_bytes(bytes(raw))
    with pytest.raises(DataError, match=r"broken\.npz"):
        unpack(broken, tmp_path / "imgs.npy")
    assert list(tmp_path.iterdir()) == [broken]


@pytest.mark.parametrize("rows", [[-1], [2500], [0.5], [], [[1]]])
def test_absent_rows_are_refused(published: Path, rows: list[Any]) -> None:
    """Rows must be whole numbers of the file; the message gives their range."""
    with pytest.raises(DataError, match="0 to 2499"):
        read_frames(published, np.array(rows))


CLASSES = latent_classes(np.arange(40))
FRAMES = render(latent_values(CLASSES))
CHANGES = {
    "no frames": {"imgs": None},
    "no classes": {"latents_classes": None},
    "frames of 32 x 32": {"imgs": FRAMES[:, ::2, ::2]},
    "a frame too few": {"imgs": FRAMES[:-1]},
    "frames of floats": {"imgs": FRAMES.astype(float)},
    "frames in another order": {"imgs": np.asfortranarray(FRAMES)},
    "frames of 0 and 255": {"imgs": FRAMES * 255},
    "pickled classes": {"latents_classes": CLASSES.astype(object)},
    "five latents": {
        "latents_classes": CLASSES[:, 1:],
        "latents_values": latent_values(CLASSES)[:, 1:],
    },
    "a scale off the grid": {"latents_values": latent_values(CLASSES) + 0.05},
    "a shape too many": {"latents_classes": CLASSES + np.array([0, 3, 0, 0, 0, 0])},
    "values that are not numbers": {"latents_values": latent_values(CLASSES) * np.nan},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
def test_other_contents_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Arrays that are absent or of another shape, dtype or range are refused by name."""
    path = write_file(tmp_path / "other.npz", arrays(40, **changes))
    with pytest.raises(DataError, match=r"other\.npz"):
        read_frames(path, np.arange(40))


def test_excess_bytes_are_refused(tmp_path: Path) -> None:
    """More frames than the header announces are refused."""
    path = write_file(tmp_path / "long.npz", arrays(40, imgs=None))
    buffer = io.BytesIO()
    np.save(buffer, FRAMES)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("imgs.npy", buffer.getvalue() + b"\0")
    with pytest.raises(DataError, match="more than the 40 frames"):
        read_frames(path, np.arange(3))


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.99])
def test_truncated_file_is_refused(published: Path, tmp_path: Path, fraction: float) -> None:
    """A file that is cut short is refused by name."""
    raw = published.read_bytes()
    path = tmp_path / "cut.npz"
    path.write_bytes(raw[: int(fraction * len(raw))])
    with pytest.raises(DataError, match=r"cut\.npz"):
        read_frames(path, ROWS)


@pytest.mark.parametrize("member", ["imgs.npy", "latents_classes.npy", "latents_values.npy"])
@pytest.mark.parametrize("fraction", [0.02, 0.5, 0.98])
def test_flipped_byte_is_refused(
    published: Path, tmp_path: Path, member: str, fraction: float
) -> None:
    """A changed byte is noticed in each array, at its start, middle and end."""
    raw, path = bytearray(published.read_bytes()), tmp_path / "flipped.npz"
    with zipfile.ZipFile(published) as archive:
        info = archive.getinfo(member)
    raw[info.header_offset + 80 + int(fraction * (info.compress_size - 80))] ^= 0x10
    path.write_bytes(bytes(raw))
    with pytest.raises(DataError, match=r"flipped\.npz"):
        read_frames(path, np.arange(3))


def test_absent_file_names_its_address(tmp_path: Path) -> None:
    """The error says from which address to fetch the file."""
    with pytest.raises(DataError, match=r"nowhere\.npz does not exist.*https://"):
        read_frames(tmp_path / "nowhere.npz", np.arange(3))
