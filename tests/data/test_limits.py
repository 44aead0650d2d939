"""Bounds on memory: what a header promises is refused before anything is allocated."""

from __future__ import annotations

import os
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import sparse

from unwarp.data import limits
from unwarp.data.formats.files import read
from unwarp.data.limits import available_bytes, check_size, max_bytes
from unwarp.data.opening import as_source
from unwarp.data.schema import Schema
from unwarp.data.series import pad, resample_to
from unwarp.data.source import Source
from unwarp.errors import ConfigError, DataError

MEGABYTE = 1 << 20
REFUSAL = r"would fill [\d,.]+ \w+ of memory, the bound is 1.0 MiB; .*UNWARP_MAX_BYTES=\d+$"


@pytest.fixture(autouse=True)
def bound(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bound of 1 MiB, and a check that no test allocates much more."""
    monkeypatch.setenv("UNWARP_MAX_BYTES", str(MEGABYTE))
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * MEGABYTE


def write_header(path: Path, shape: tuple[int, ...], dtype: str) -> None:
    """An `.npz` file of a few bytes with a header that promises an array `x`."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w") as f,
    ):
        header = {"descr": dtype, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(f, header)


@pytest.mark.parametrize("dtype", ["|u1", "<f8", "<U1000"])
def test_npz_headers_are_bounded(tmp_path: Path, dtype: str) -> None:
    """An array larger than the bound is refused by its header, whatever the file contains."""
    write_header(tmp_path / "a.npz", (1 << 20, 1 << 20), dtype)
    with pytest.raises(DataError, match=REFUSAL):
        read(tmp_path / "a.npz")


def test_compressed_arrays_are_bounded(tmp_path: Path) -> None:
    """Arrays of zeros that are small on disk count with their size in memory, all together."""
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((64, 1100)), times=np.zeros((64, 1100)))
    with pytest.raises(DataError, match=r"its 2 array\(s\)"):
        read(tmp_path / "a.npz").x.shape  # noqa: B018
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((64, 900)), unused=np.zeros((64, 9000)))
    assert read(tmp_path / "a.npz").x.shape == (64, 900)


def test_expansion_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An array of far more bytes than its file is refused, unless the user allows as much."""
    monkeypatch.setattr("unwarp.data.limits.MIN_BYTES_OF_BOMB", 100_000)
    np.savez_compressed(tmp_path / "zeros.npz", x=np.zeros((64, 1900)))
    np.savez_compressed(tmp_path / "bits.npz", x=np.random.default_rng(0).random((64, 1900)) > 0.9)
    assert len(read(tmp_path / "zeros.npz").x) == 64  # allowed by the variable
    monkeypatch.delenv("UNWARP_MAX_BYTES")
    assert len(read(tmp_path / "bits.npz").x) == 64
    with pytest.raises(DataError, match=r"stores only .*; check the file, or allow it: UNWARP_MAX"):
        read(tmp_path / "zeros.npz")


def test_expansion_of_pictures_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file that describes a picture of many pixels is refused before it is decoded."""
    monkeypatch.delenv("UNWARP_MAX_BYTES")
    Image.new("1", (2000, 1000)).save(tmp_path / "a.tif", compression="group4")
    assert read(tmp_path / "a.tif").x.shape == (1, 1, 1000, 2000)
    monkeypatch.setattr("unwarp.data.limits.MIN_BYTES_OF_BOMB", 100_000)
    with pytest.raises(DataError, match=r"a.tif would fill 7.6 MiB of memory, but .* stores only"):
        read(tmp_path / "a.tif")


def test_pictures_are_bounded(tmp_path: Path) -> None:
    """Many pictures of one colour are refused by the size of the first one."""
    for k in range(9):
        Image.new("L", (400, 400)).save(tmp_path / f"{k}.png")
    with pytest.raises(DataError, match="its 9 pictures " + REFUSAL):
        read(tmp_path)


def test_wider_pictures_are_bounded(tmp_path: Path) -> None:
    """A colour picture after grey ones is refused if all of them in colour are too large."""
    for k in range(5):
        Image.new("L" if k < 4 else "RGB", (400, 400)).save(tmp_path / f"{k}.png")
    with pytest.raises(DataError, match="its 5 pictures " + REFUSAL):
        read(tmp_path)


def test_one_picture_is_bounded(tmp_path: Path) -> None:
    """A picture is refused by its header, before it is decoded."""
    Image.new("1", (6000, 6000)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png " + REFUSAL):
        read(tmp_path)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.ts", "a.arff", "a.data", "plain"])
def test_text_is_bounded(tmp_path: Path, name: str) -> None:
    """Cells of a text file count with the memory that they need as text and as numbers."""
    (tmp_path / name).write_text("1" + "\t2" * 20_000 + "\n")
    with pytest.raises(DataError, match=r"its [\d,]+ cells " + REFUSAL):
        read(tmp_path / name)


def test_parquet_is_bounded(tmp_path: Path) -> None:
    """A table of one repeated value is small on disk; its rows count."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"t0": np.zeros(90_000)}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="its 90,000 cells " + REFUSAL):
        read(tmp_path / "a.parquet")


def test_resampling_is_bounded() -> None:
    """Many short series and a long one are refused before all are stretched to its length."""
    rows = [np.arange(2.0)] * 999 + [np.arange(3000.0)]
    for call in (
        lambda: pad(rows),
        lambda: resample_to(rows, 3000),
        lambda: Schema.fit(Source(rows)),
    ):
        with pytest.raises(DataError, match=REFUSAL):
            call()


def test_scaled_samples_are_bounded(tmp_path: Path) -> None:
    """A memory-mapped array is refused if its scaled copy is too large."""
    np.save(tmp_path / "a.npy", np.random.default_rng(0).integers(0, 9, (600, 600), np.uint8))
    with pytest.raises(DataError, match=REFUSAL):
        Schema.fit(read(tmp_path / "a.npy"))


def test_sparse_matrices_stay_sparse() -> None:
    """A sparse matrix of any size is refused without a dense copy."""
    size = 1 << 20
    rows = torch.zeros(2, 1, dtype=torch.long)
    tensor = torch.sparse_coo_tensor(rows, torch.ones(1), (size, size), check_invariants=True)
    for X in (sparse.csr_matrix((size, size)), sparse.coo_array((size, size)), tensor):
        with pytest.raises(DataError, match="dense"):
            Schema.fit(as_source(X))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
@pytest.mark.parametrize("name", ["a.csv", "a.npy", "plain", "folder/a.png"])
def test_pipes_are_refused(tmp_path: Path, name: str) -> None:
    """A pipe, which would block, and a device, which has no end, are refused at once."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / name)
    source = tmp_path / "folder" if name.startswith("folder") else tmp_path / name
    with pytest.raises(DataError, match=r"pipe|no pictures"):
        read(source)
    (tmp_path / "b.csv").symlink_to("/dev/zero")
    with pytest.raises(DataError, match="device"):
        read(tmp_path / "b.csv")


def test_bound_can_be_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number in the message, set as environment variable, accepts the samples."""
    with pytest.raises(DataError) as refusal:
        check_size(5 * MEGABYTE, "data")
    monkeypatch.setenv("UNWARP_MAX_BYTES", str(refusal.value).rpartition("=")[2])
    check_size(5 * MEGABYTE, "data")


@pytest.mark.parametrize("text", ["0", "-1", "1e9", "8 GB", "nan", "²"])
def test_bound_is_checked(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A bound that is not a positive whole number is refused."""
    monkeypatch.setenv("UNWARP_MAX_BYTES", text)
    with pytest.raises(ConfigError, match="UNWARP_MAX_BYTES="):
        max_bytes()


def test_container_limits_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is a share of the memory of the machine, or of the container if it has less."""
    assert available_bytes(tmp_path) == 8 << 30
    for name, text in (("proc/meminfo", "MemTotal: 9 kB\nMemAvailable:   4000 kB\n"),):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    assert available_bytes(tmp_path) == 4000 << 10
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    for limit, expected in (("max", 4000 << 10), ("300000", 200_000), ("50000", 0)):
        (group / "memory.max").write_text(f"{limit}\n")
        (group / "memory.current").write_text("100000\n")
        assert available_bytes(tmp_path) == expected
    monkeypatch.delenv("UNWARP_MAX_BYTES")
    assert 0 < max_bytes() < max_bytes(1)


def test_samples_may_fill_half_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a bound by the user, half of the free memory is the default, ends included."""
    monkeypatch.delenv("UNWARP_MAX_BYTES")
    monkeypatch.setattr(limits, "available_bytes", lambda: 2001)
    monkeypatch.setattr(limits, "MIN_BYTES_CHECKED", 1)
    assert (max_bytes(), max_bytes(1)) == (1000, 2001)
    check_size(1000, "data")
    check_size(2001, "data", share=1)
    for n_bytes, share in ((1001, 0.5), (2002, 1)):
        with pytest.raises(DataError, match=f"data would fill .*UNWARP_MAX_BYTES={n_bytes}"):
            check_size(n_bytes, "data", share)


def test_machines_without_numbers_have_memory(tmp_path: Path) -> None:
    """Lines without a number, and limits that are no numbers, do not count."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("\nMemAvailable:\nMemFree: x kB\nMemAvailable: 7\n")
    assert available_bytes(tmp_path) == 7 << 10
    (tmp_path / "proc/meminfo").write_text("MemAvailable: many kB\n")
    assert available_bytes(tmp_path) == 8 << 30


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [
        (0, "0 bytes"),
        (1, "1 bytes"),
        (1023, "1,023 bytes"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        ((1 << 20) - 1, "1,024.0 KiB"),
        (1 << 20, "1.0 MiB"),
        (3 << 30, "3.0 GiB"),
        (5 << 40, "5.0 TiB"),
        (2048 << 40, "2,048.0 TiB"),
    ],
)
def test_sizes_are_in_readable_units(
    n_bytes: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A size and its bound are in the largest unit that they fill, up to TiB."""
    monkeypatch.setenv("UNWARP_MAX_BYTES", str(max(1, n_bytes)))
    with pytest.raises(DataError) as refusal:
        check_size(1 << 60, "data")
    bound = "1 bytes" if n_bytes == 0 else words
    assert f"would fill 1,048,576.0 TiB of memory, the bound is {bound};" in str(refusal.value)
