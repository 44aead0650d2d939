"""Checksums: every value, its type, its shape and its order count."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from unwarp import checksums
from unwarp.checksums import checksum


@dataclass(frozen=True)
class Pair:
    """Two values."""

    first: Any
    second: Any


DIFFERENT = [
    None,
    0,
    0.0,
    False,
    "0",
    [0],
    [[0]],
    [],
    {},
    {"0": 0},
    [0, 1],
    [1, 0],
    [[1], 0],
    [[1, 0]],
    [1, [0]],
    [1, 0, []],
    ["ab", "c"],
    ["a", "bc"],
    np.zeros(2),
    np.zeros(2, np.float32),
    np.zeros((2, 1)),
    np.zeros((1, 2)),
    np.array([0.0, 1.0]),
    np.array([1.0, 0.0]),
    np.array(0.0),
    np.array(["a", None], dtype=object),
    torch.zeros(2),
    torch.zeros(2, dtype=torch.int32),
    torch.zeros(2, dtype=torch.bfloat16),
    torch.zeros(1, 2),
    torch.zeros(()),
    torch.zeros(0),
    Pair(1, np.zeros(2)),
    Pair(1, np.ones(2)),
]


def test_checksums_tell_values_apart() -> None:
    """Values that differ in type, shape, order or number have different checksums."""
    assert len({checksum(value) for value in DIFFERENT}) == len(DIFFERENT)


def test_checksum_ignores_memory_layout() -> None:
    """Equal values have equal checksums, whatever their strides and the order of keys."""
    x = np.arange(12.0).reshape(3, 4)
    assert checksum(np.asfortranarray(x)) == checksum(x) == checksum(x[::-1][::-1])
    assert checksum(torch.arange(6).reshape(2, 3).T) == checksum(
        torch.arange(6).reshape(2, 3).T.contiguous()
    )
    assert checksum({"a": 1, "b": 2}) == checksum({"b": 2, "a": 1})


def test_checksum_is_computed_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of the blocks changes nothing."""
    x = np.random.default_rng(0).normal(size=(50, 3, 4))
    whole = checksum(x)
    monkeypatch.setattr(checksums, "BYTES_PER_BLOCK", 100)
    assert checksum(x) == whole


def test_blocks_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large array is copied in parts of whole rows, no larger than the bound or than a row."""
    monkeypatch.setattr(checksums, "BYTES_PER_BLOCK", 100)
    for rows, columns, sizes in ((10, 5, [80, 80, 80, 80, 80]), (3, 20, [160] * 3), (2, 1, [16])):
        x = np.arange(rows * columns * 1.0).reshape(rows, columns)
        blocks = list(checksums._blocks(x))
        assert [len(block) for block in blocks] == sizes and b"".join(blocks) == x.tobytes()
    empty = list(checksums._blocks(np.zeros((0, 3))))
    assert b"".join(empty) == b"" and list(checksums._blocks(np.array(2.0))) == [
        np.array(2.0).tobytes()
    ]


def test_checksum_is_blake2() -> None:
    """A checksum has 32 hexadecimal digits, and is that of Python's library."""
    for value in (3, "text", None):
        text = repr(value).encode()
        head = f"{type(value).__name__} {len(text)};".encode()
        assert checksum(value) == hashlib.blake2b(head + text, digest_size=16).hexdigest()
    assert len(checksum(torch.zeros(3))) == 32
