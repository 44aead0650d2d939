"""affNIST's MATLAB files, written here in their format: read upright, refused if damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.io import savemat

from unwarp.data.dataset import Dataset
from unwarp.datasets import affnist
from unwarp.datasets.affine_mnist import fixed_observations
from unwarp.errors import DataError
from unwarp.warps import Affine2d

N = 300


@pytest.fixture(scope="module")
def deformed(clean: Dataset) -> Dataset:
    """Digits drawn from affNIST's distribution."""
    return fixed_observations(clean.subset(np.arange(N) * (len(clean) // N)), 1, seed=0)


def columns(data: Dataset) -> NDArray[np.uint8]:
    """Pictures as affNIST stores them: a column for each, row by row."""
    return (255 * data.x[:, 0]).round().to(torch.uint8).reshape(len(data), 1600).numpy().T


def struct(data: Dataset) -> dict[str, Any]:
    """The fields of a file with these digits."""
    assert data.labels is not None and data.maps is not None
    table = Affine2d(size=(40, 40)).summary(data.maps)
    return {
        "affine_transform": np.zeros((1, len(data)), dtype=object),
        "human_readable_transform": np.stack(
            [column.double().numpy() for column in table.values()]
        ),
        "image": columns(data),
        "label_one_of_n": np.eye(10, dtype=np.uint8)[data.labels].T,
        "label_int": data.labels[None].astype(np.uint8),
    }


def write_file(
    path: Path, fields: dict[str, Any], name: str = "affNISTdata", packed: bool = True
) -> Path:
    """Write a struct to a MATLAB file, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {name: fields}, do_compression=packed)
    return path


@pytest.fixture(scope="module")
def published(deformed: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in the published format."""
    return write_file(tmp_path_factory.mktemp("affnist") / "1.mat", struct(deformed))


@pytest.mark.parametrize("packed", [True, False], ids=["compressed", "plain"])
def test_file_comes_back_upright(deformed: Dataset, tmp_path: Path, packed: bool) -> None:
    """Pictures, labels and transforms come back, compressed or not."""
    fields = struct(deformed)
    data = affnist.read(write_file(tmp_path / "1.mat", fields, packed=packed))
    torch.testing.assert_close(data.x, deformed.x, atol=0.5 / 255 + 1e-6, rtol=0)
    assert data.labels is not None and data.factor_values is not None
    np.testing.assert_array_equal(data.labels, deformed.labels)
    np.testing.assert_allclose(data.factor_values.T, fields["human_readable_transform"])
    assert data.factors[0].name == "rotation_deg"


def test_pixels_go_row_by_row(tmp_path: Path) -> None:
    """A picture with one bright row has one bright row."""
    image = np.zeros((40, 40), np.uint8)
    image[7, :30] = 255
    fields = {"image": image.reshape(1600, 1), "label_int": np.array([[4]], np.uint8)}
    data = affnist.read(write_file(tmp_path / "1.mat", fields))
    assert data.x[0, 0, 7, :30].min() == 1 and float(data.x.sum()) == 30
    assert data.factors == () and data.factor_values is None


def test_other_pixel_order_is_noticed(deformed: Dataset, tmp_path: Path) -> None:
    """Transposed digits are refused, and read with the other order."""
    fields = struct(deformed)
    fields["image"] = fields["image"].reshape(40, 40, -1).transpose(1, 0, 2).reshape(1600, -1)
    path = write_file(tmp_path / "1.mat", fields)
    with pytest.raises(DataError, match="order='F'"):
        affnist.read(path)
    torch.testing.assert_close(
        affnist.read(path, order="F").x, deformed.x, atol=0.5 / 255 + 1e-6, rtol=0
    )


def test_numbered_files_are_joined(deformed: Dataset, tmp_path: Path) -> None:
    """Files are sorted by number, and as many as asked for are joined."""
    pieces = [deformed.subset(np.arange(k, N, 3)) for k in range(3)]
    for number, piece in zip((1, 2, 10), pieces, strict=True):
        write_file(tmp_path / "training_and_validation_batches" / f"{number}.mat", struct(piece))
    assert [path.stem for path in affnist.paths("train", tmp_path)] == ["1", "2", "10"]
    assert len(affnist.load("train", tmp_path)) == 100
    joined = affnist.load("train", tmp_path, files=2)
    assert (
        joined.labels is not None and pieces[0].labels is not None and pieces[1].labels is not None
    )
    np.testing.assert_array_equal(joined.labels, np.r_[pieces[0].labels, pieces[1].labels])
    assert joined.factor_values is not None and joined.factor_values.shape == (200, 6)
    with pytest.raises(DataError, match="there are 3"):
        affnist.load("train", tmp_path, files=4)
    with pytest.raises(DataError, match=r"1\.mat for test"):
        affnist.load("test", tmp_path)


def test_single_files_are_read(
    deformed: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part may be one file, or loose files in the folder of the environment."""
    write_file(tmp_path / "affnist" / "test.mat", struct(deformed))
    write_file(tmp_path / "affnist" / "3.mat", struct(deformed))
    monkeypatch.setenv("UNWARP_DATA", str(tmp_path))
    assert affnist.paths("test") == (tmp_path / "affnist" / "test.mat",)
    assert affnist.paths("train") == (tmp_path / "affnist" / "3.mat",)
    assert affnist.load("test").shape == (1, 40, 40)


IMAGE, LABEL = np.zeros((1600, 3), np.uint8), np.zeros((1, 3), np.uint8)
ERRORS: dict[str, tuple[dict[str, Any], str]] = {
    "no image": ({"label_int": LABEL}, "it is absent"),
    "pictures of 28 x 28": (
        {"image": np.zeros((784, 3), np.uint8), "label_int": LABEL},
        r"\(784, 3\)",
    ),
    "a picture a row": ({"image": IMAGE.T, "label_int": LABEL}, r"\(3, 1600\)"),
    "not bytes": ({"image": IMAGE.astype(float), "label_int": LABEL}, "float64"),
    "no picture": ({"image": IMAGE[:, :0], "label_int": LABEL[:, :0]}, r"\(1600, 0\)"),
    "no labels": ({"image": IMAGE}, "label_int"),
    "a label too few": ({"image": IMAGE, "label_int": LABEL[:, :2]}, r"\(1, 3\)"),
    "a label of 10": ({"image": IMAGE, "label_int": LABEL + 10}, "0 to 9"),
    "half a label": ({"image": IMAGE, "label_int": LABEL + 0.5}, "0 to 9"),
    "labels without numbers": ({"image": IMAGE, "label_int": LABEL + np.nan}, "0 to 9"),
    "other transforms": (
        {"image": IMAGE, "label_int": LABEL, "human_readable_transform": np.zeros((3, 6))},
        "human_readable_transform",
    ),
}


@pytest.mark.parametrize(("fields", "message"), ERRORS.values(), ids=ERRORS.keys())
def test_other_contents_are_refused(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    """Fields of another shape, dtype or range are refused by name."""
    path = write_file(tmp_path / "5.mat", fields)
    with pytest.raises(DataError, match=rf"5\.mat.*{message}"):
        affnist.read(path)


def test_other_structs_are_refused(tmp_path: Path) -> None:
    """A file without the struct is refused."""
    path = write_file(tmp_path / "5.mat", {"image": IMAGE}, name="usps")
    with pytest.raises(DataError, match="no struct affNISTdata"):
        affnist.read(path)
    savemat(path, {"affNISTdata": IMAGE})
    with pytest.raises(DataError, match="no struct affNISTdata"):
        affnist.read(path)


@pytest.mark.parametrize("keep", [0, 4, 100, 127, 130, 200, 0.5, 0.99])
@pytest.mark.parametrize("packed", [True, False], ids=["compressed", "plain"])
def test_truncated_file_is_refused(
    deformed: Dataset, tmp_path: Path, keep: float, packed: bool
) -> None:
    """A file that is cut short is refused by name."""
    path = write_file(tmp_path / "5.mat", struct(deformed), packed=packed)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(keep if keep >= 1 else keep * len(raw))])
    with pytest.raises(DataError, match=r"5\.mat"):
        affnist.read(path)


@pytest.mark.parametrize("position", [126, 128, 132, 136, 2000, -2000])
def test_flipped_byte_is_refused(published: Path, tmp_path: Path, position: int) -> None:
    """A changed byte of a compressed file is noticed."""
    raw = bytearray(published.read_bytes())
    raw[position] ^= 0xFF
    (tmp_path / "5.mat").write_bytes(bytes(raw))
    with pytest.raises(DataError, match=r"5\.mat"):
        affnist.read(tmp_path / "5.mat")


def test_other_files_are_refused(tmp_path: Path) -> None:
    """An absent file, text and MATLAB 7.3 are refused."""
    path = tmp_path / "5.mat"
    with pytest.raises(DataError, match="does not exist"):
        affnist.read(path)
    path.write_text("no MATLAB file, but a good many characters" * 20)
    with pytest.raises(DataError, match=r"5\.mat"):
        affnist.read(path)
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    path.write_bytes(header + bytes(512))
    with pytest.raises(DataError, match="version 5"):
        affnist.read(path)


def test_unknown_part_is_refused(tmp_path: Path) -> None:
    """The message lists the parts."""
    with pytest.raises(DataError, match="train or test"):
        affnist.load("valid", tmp_path)
