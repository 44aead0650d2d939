"""affNIST's MATLAB files, written here in their exact format: read upright, file by file, and refused when damaged."""

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
from unwarp.datasets.affine_mnist import observed
from unwarp.errors import DataError
from unwarp.warps import Affine2d

N = 300


@pytest.fixture(scope="module")
def deformed(clean: Dataset) -> Dataset:
    """Digits drawn from affNIST's distribution."""
    return observed(clean.subset(np.arange(N) * (len(clean) // N)), 1, seed=0)


def columns(data: Dataset) -> NDArray[np.uint8]:
    """Pictures as affNIST stores them: one a column, row by row."""
    return (255 * data.x[:, 0]).round().to(torch.uint8).reshape(len(data), 1600).numpy().T


def struct(data: Dataset) -> dict[str, Any]:
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


def put(path: Path, fields: dict[str, Any], name: str = "affNISTdata", packed: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {name: fields}, do_compression=packed)
    return path


@pytest.fixture(scope="module")
def published(deformed: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put(tmp_path_factory.mktemp("affnist") / "1.mat", struct(deformed))


@pytest.mark.parametrize("packed", [True, False], ids=["compressed", "plain"])
def test_pictures_labels_and_transforms_come_back_upright(
    deformed: Dataset, tmp_path: Path, packed: bool
) -> None:
    fields = struct(deformed)
    data = affnist.read(put(tmp_path / "1.mat", fields, packed=packed))
    torch.testing.assert_close(data.x, deformed.x, atol=0.5 / 255 + 1e-6, rtol=0)
    assert data.labels is not None and data.factor_values is not None
    np.testing.assert_array_equal(data.labels, deformed.labels)
    np.testing.assert_allclose(data.factor_values.T, fields["human_readable_transform"])
    assert data.factors[0].name == "rotation_deg"


def test_a_picture_of_one_bright_row_is_read_as_one(tmp_path: Path) -> None:
    image = np.zeros((40, 40), np.uint8)
    image[7, :30] = 255
    fields = {"image": image.reshape(1600, 1), "label_int": np.array([[4]], np.uint8)}
    data = affnist.read(put(tmp_path / "1.mat", fields))
    assert data.x[0, 0, 7, :30].min() == 1 and float(data.x.sum()) == 30
    assert data.factors == () and data.factor_values is None


def test_pixels_in_the_other_order_are_noticed_and_can_be_read(
    deformed: Dataset, tmp_path: Path
) -> None:
    fields = struct(deformed)
    fields["image"] = fields["image"].reshape(40, 40, -1).transpose(1, 0, 2).reshape(1600, -1)
    path = put(tmp_path / "1.mat", fields)
    with pytest.raises(DataError, match="order='F'"):
        affnist.read(path)
    torch.testing.assert_close(
        affnist.read(path, order="F").x, deformed.x, atol=0.5 / 255 + 1e-6, rtol=0
    )


def test_files_are_found_by_number_and_joined_as_asked(deformed: Dataset, tmp_path: Path) -> None:
    pieces = [deformed.subset(np.arange(k, N, 3)) for k in range(3)]
    for number, piece in zip((1, 2, 10), pieces, strict=True):
        put(tmp_path / "training_and_validation_batches" / f"{number}.mat", struct(piece))
    assert [path.stem for path in affnist.paths("train", tmp_path)] == ["1", "2", "10"]
    assert len(affnist.load("train", tmp_path)) == 100
    both = affnist.load("train", tmp_path, files=2)
    assert both.labels is not None and pieces[0].labels is not None and pieces[1].labels is not None
    np.testing.assert_array_equal(both.labels, np.r_[pieces[0].labels, pieces[1].labels])
    assert both.factor_values is not None and both.factor_values.shape == (200, 6)
    with pytest.raises(DataError, match="there are 3"):
        affnist.load("train", tmp_path, files=4)
    with pytest.raises(DataError, match=r"1\.mat for test"):
        affnist.load("test", tmp_path)


def test_one_file_of_a_part_and_the_data_folder_do_too(
    deformed: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "affnist" / "test.mat", struct(deformed))
    put(tmp_path / "affnist" / "3.mat", struct(deformed))
    monkeypatch.setenv("UNWARP_DATA", str(tmp_path))
    assert affnist.paths("test") == (tmp_path / "affnist" / "test.mat",)
    assert affnist.paths("train") == (tmp_path / "affnist" / "3.mat",)
    assert affnist.load("test").shape == (1, 40, 40)


IMAGE, LABEL = np.zeros((1600, 3), np.uint8), np.zeros((1, 3), np.uint8)
WRONG: dict[str, tuple[dict[str, Any], str]] = {
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


@pytest.mark.parametrize(("fields", "said"), WRONG.values(), ids=WRONG.keys())
def test_wrong_contents_are_refused(tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    path = put(tmp_path / "5.mat", fields)
    with pytest.raises(DataError, match=rf"5\.mat.*{said}"):
        affnist.read(path)


def test_another_struct_or_none_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "5.mat", {"image": IMAGE}, name="usps")
    with pytest.raises(DataError, match="no struct affNISTdata"):
        affnist.read(path)
    savemat(path, {"affNISTdata": IMAGE})
    with pytest.raises(DataError, match="no struct affNISTdata"):
        affnist.read(path)


@pytest.mark.parametrize("keep", [0, 4, 100, 127, 130, 200, 0.5, 0.99])
@pytest.mark.parametrize("packed", [True, False], ids=["compressed", "plain"])
def test_a_cut_file_is_refused(
    deformed: Dataset, tmp_path: Path, keep: float, packed: bool
) -> None:
    path = put(tmp_path / "5.mat", struct(deformed), packed=packed)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(keep if keep >= 1 else keep * len(raw))])
    with pytest.raises(DataError, match=r"5\.mat"):
        affnist.read(path)


@pytest.mark.parametrize("at", [126, 128, 132, 136, 2000, -2000])
def test_a_flipped_byte_of_a_compressed_file_is_refused(
    published: Path, tmp_path: Path, at: int
) -> None:
    raw = bytearray(published.read_bytes())
    raw[at] ^= 0xFF
    (tmp_path / "5.mat").write_bytes(bytes(raw))
    with pytest.raises(DataError, match=r"5\.mat"):
        affnist.read(tmp_path / "5.mat")


def test_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
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


def test_an_unknown_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train or test"):
        affnist.load("valid", tmp_path)
