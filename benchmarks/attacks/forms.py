"""Bad inputs of odd forms: tables, masks, sets, times, events, points and callbacks."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.sparse import coo_array, dok_matrix

from benchmarks.attacks.verdicts import Attack
from benchmarks.attacks.world import World
from unwarp import Unwarper
from unwarp.core import Array

FRESH: Mapping[str, Any] = {"max_steps": 1, "n_clusters": 2, "device": "cpu"}
"""Arguments of an estimator that learns in milliseconds."""

UNREADABLE = ("align", "transform", "transform_params", "fit_transform", "parse", "reconstruct")
"""Methods that read samples."""


class Broken:
    """An array-like that cannot be read."""

    def __array__(self, *arguments: Any, **options: Any) -> Array:
        raise RuntimeError("this array cannot be read")


class Endless:
    """A sequence without an end."""

    def __len__(self) -> int:
        return 1 << 40

    def __getitem__(self, row: int) -> list[float]:
        return [0.0, 1.0]


def odd_samples(x: Array) -> dict[str, Any]:
    """Samples of odd forms that no method can read, by name; each like `x` where it can be."""
    flat = x.reshape(len(x), -1)
    frame = pd.DataFrame(flat)
    texts, dates = frame.astype(object), frame.copy()
    texts.iloc[3, 4] = "n/a"
    dates[0] = pd.date_range("2024-01-01", periods=len(frame))
    return {
        "a frame with a text": texts,
        "a frame with dates": dates,
        # categories and objects that are texts of numbers are read, as scikit-learn does
        "a frame with categories": ("no. " + frame.astype(str)).astype("category"),
        "a frame without rows": frame.iloc[:0],
        "a frame without columns": frame[[]],
        "a frame with infinity": frame.replace(frame.iloc[0, 0], np.inf),
        "a frame of intervals": pd.DataFrame({"a": pd.interval_range(0, len(frame))}),
        "a frame of complex numbers": frame + 1j,
        "a column": frame[0],
        "an index": frame.index,
        "a group": frame.groupby(0),
        "masked": np.ma.masked_greater(x, 0.5 * x.max()),
        "masked everywhere": np.ma.masked_all(x.shape),
        "sparse coordinates": coo_array(flat),
        "sparse keys": dok_matrix(flat),
        "a sparse tensor": torch.from_numpy(flat).to_sparse(),
        "a nested tensor": torch.nested.nested_tensor([torch.ones(3), torch.ones(4)]),
        "a tensor of no axis": torch.tensor(1.0),
        "an array of no axis": np.array(1.0),
        "an array of no axis, object": np.array(None),
        "an empty text": "",
        "blanks": "  ",
        "a text of numbers": "1, 2, 3",
        "empty bytes": b"",
        "bytes in an array": bytearray(b"123"),
        "a view of bytes": memoryview(b"123"),
        "a folder without pictures": Path("empty"),
        "the current folder": Path(),
        "a model folder": Path("image_model"),
        "a name with accents": "données/été.npy",
        "a name in Japanese": Path("波形.npy"),
        "a name with a line break": "a\nb.npy",
        "a name with a zero byte": "a\0b.npy",
        "a long name": "n" * 300,
        "a home of nobody": "~no_such_user/x.npy",
        "an address": "https://example.org/x.npy",
        "a set of rows": {tuple(row) for row in flat[:3].tolist()},
        "a frozen set": frozenset({1.0}),
        "values of a dict": {"a": flat[0]}.values(),
        "a map": map(list, flat.tolist()),
        "an iterator": iter(flat.tolist()),
        "a range": range(5),
        "a queue of one number": deque([1.0]),
        "an array of the standard library": array("d", [1.0, 2.0]),
        "a list of None": [None, None],
        "a list of dicts": [{"a": 1.0}, {"a": 2.0}],
        "a list of sets": [{1.0, 2.0}, {3.0}],
        "a list of files": [Path("x.npy"), Path("x.npy")],
        "a list of numbers and rows": [1.0, [2.0, 3.0]],
        "a list with an empty row": [[], []],
        "a list of large integers": [[10**400, 1], [2, 3]],
        "a broken array": Broken(),
        "a class": Unwarper,
        "an estimator": Unwarper(),
        "a module": np,
        "an ellipsis": ...,
        "durations": np.zeros(flat.shape, "m8[s]"),
        "bytes as numbers": np.full(flat.shape, b"1"),
        "void": np.zeros(flat.shape, "V4"),
        "texts of numbers": np.full(flat.shape, "1.5"),
    }


def forms(world: World) -> Iterator[Attack]:
    """Samples of odd forms for each method that reads samples."""
    Path("empty").mkdir(exist_ok=True)
    for domain in ("image", "series"):
        x, model = world.of(domain)
        for verb in ("fit", *UNREADABLE):
            for name, value in odd_samples(x).items():
                target = Unwarper(**FRESH) if verb.startswith("fit") else model
                act = partial(getattr(target, verb), value)
                yield Attack("form", f"{verb}({name}), {domain}", act)


def odd_values(n: int) -> dict[str, Any]:
    """Values that are no times, events or points of `n` samples of any size, by name."""
    return {
        "no list": 3.5,
        "a text": "now",
        "bytes": b"1",
        "an empty list": [],
        "texts": ["a"] * n,
        "None in a list": [None] * n,
        "objects": [object()] * n,
        "complex numbers": [1j] * n,
        "infinite": [np.inf] * n,
        "lists of texts": [["a", "b"]] * n,
        "one list too few": [[1.0, 2.0]] * (n - 1),
        "three axes": np.zeros((n, 2, 3, 2)),
        "a set": {1.0, 2.0},
        "a dict": {"a": 1.0},
        "a generator": (i for i in range(n)),
        "a function": len,
        "sparse": coo_array(np.eye(n)),
        "dates of no calendar": ["2024-13-45"] * n,
        "a meta tensor": torch.empty(n, 2, device="meta"),
        "infinite rows": np.full((n, 2), np.inf),
        "durations": np.zeros((n, 2), "m8[s]"),
        "masked": np.ma.masked_all((n, 2)),
        "large integers": [[10**400, 1]] * n,
    }


def companions(world: World) -> Iterator[Attack]:
    """Times, events, points, further channels, callbacks and flags that do not fit."""
    x, model = world.series, world.series_model
    for name, value in odd_values(len(x)).items():
        act = partial(Unwarper(**FRESH).fit, x, times=value)
        yield Attack("companion", f"fit(times: {name})", act, ("times",))
        for verb in ("transform", "align", "transform_params", "predict"):
            act = partial(getattr(model, verb), x, times=value)
            yield Attack("companion", f"{verb}(times: {name})", act, ("times",))
        # no event at all, and None for a missing one, are right
        if name not in ("an empty list", "None in a list"):
            act = partial(model.transform_events, x, value)
            yield Attack("companion", f"transform_events({name})", act, ("events",))
        act = partial(model.align, x, value)
        yield Attack("companion", f"align(other: {name}), series", act, ("other",))
    for name, value in odd_values(len(world.x)).items():
        if name != "one list too few":  # (K, 2) are points that all images share
            act = partial(world.image_model.transform_points, world.x, value)
            yield Attack("companion", f"transform_points({name}), image", act, ("points",))
        act = partial(world.image_model.align, world.x, value)
        yield Attack("companion", f"align(other: {name}), image", act, ("other",))
    yield from _odd_times(x, model)
    yield from _observers(world)


def _odd_times(x: Array, model: Unwarper) -> Iterator[Attack]:
    """Times of the right size that no clock has."""
    steps = np.arange(x.shape[1], dtype=float)
    odd_times = {
        "falling": steps[::-1],
        "constant": 0 * steps,
        "with a gap": np.where(steps == 3, np.nan, steps),
        "with infinity": np.where(steps == 3, np.inf, steps),
        "too short": steps[:-1],
        "too long": np.arange(x.shape[1] + 1.0),
        "complex": steps + 1j,
        # texts of numbers and of dates are read, as the columns of a .csv file have them
        "texts of no number": np.full(len(steps), "soon"),
        "one row too few": np.tile(steps, (len(x) - 1, 1)),
        "repeated": steps // 2,
        "booleans": steps > 3,
    }
    for name, times in odd_times.items():
        act = partial(Unwarper(**FRESH).fit, x, times=times)
        yield Attack("companion", f"fit(times {name})", act, ("times",))
        yield Attack("companion", f"align(times {name})", partial(model.align, x, times=times))


def _observers(world: World) -> Iterator[Attack]:
    """Callbacks that are none, and flags that are neither True nor False."""
    callbacks = {
        "None": None,
        "a number": 3,
        "a text": "progress",
        "a list of None": [None],
        "a function": [print],
        "a class": [Attack],
        "a set of texts": {"a"},
        "an iterator": iter(()),
    }
    for name, value in callbacks.items():
        act = partial(Unwarper(**FRESH).fit, world.x, callbacks=value)
        yield Attack("companion", f"fit(callbacks: {name})", act, ("callbacks",))
    flags: dict[str, Any] = {"a text": "no", "None": None, "a list": [], "1.5": 1.5, "2": 2}
    for name, value in flags.items():
        act = partial(world.image_model.transform_params, world.x, value)
        yield Attack("companion", f"transform_params(full: {name})", act, ("full",))
        act = partial(world.series_model.transform_events, world.series, [1.0], value)
        yield Attack("companion", f"transform_events(inverse: {name})", act, ("inverse",))
    for value in ("opengl", "", None, 3, ["pixel"], np.array(["pixel"] * 2), b"pixel"):
        act = partial(world.image_model.to_matrix, world.x, value)
        yield Attack("companion", f"to_matrix(convention: {value!r})", act, ("convention",))
