"""Bad inputs by kind: arguments, arrays, files, overrides, config files, command lines."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy.sparse import csr_matrix

from benchmarks.attacks.faces import analyses, choices, readers, scores, training, warp_methods
from benchmarks.attacks.forms import companions, forms
from benchmarks.attacks.lines import QUICK, commands
from benchmarks.attacks.verdicts import Attack, command, start_of
from benchmarks.attacks.world import World
from unwarp import Unwarper
from unwarp.data.formats.registry import formats
from unwarp.models import Recipe
from unwarp.models.codec import describe

WRONG: Mapping[str, Any] = {
    "-1": -1,
    "0": 0,
    "1.5": 1.5,
    "nan": float("nan"),
    "inf": float("inf"),
    "'5'": "5",
    "''": "",
    "'no such'": "no such",
    "b'x'": b"x",
    "[]": [],
    "{}": {},
    "[1, 2]": [1, 2],
    "object()": object(),
    "1+2j": 1 + 2j,
    "10**12": 10**12,
    "array([1, 2])": np.array([1, 2]),
    "None": None,
    "True": True,
}
"""Values that are wrong for most parameters, by the way they are written."""

COUNT = frozenset({"None"})
POSITIVE = frozenset({"None", "1.5", "10**12"})
RIGHT: Mapping[str, frozenset[str]] = {
    "warp": frozenset(),
    "recipe": frozenset({"None"}),
    "domain": frozenset(),
    "n_content": COUNT,
    "n_clusters": COUNT | {"10**12"},
    "max_steps": COUNT | {"10**12"},
    "max_seconds": POSITIVE | {"inf"},
    "batch_size": COUNT | {"10**12"},
    "scale": COUNT,
    "missing": frozenset(),
    "sampling_rate": POSITIVE,
    "image_shape": COUNT,
    "overrides": COUNT | {"{}"},
    "random_state": frozenset({"None", "0"}),
    "device": frozenset(),
    "precision": frozenset(),
    # any level from 0 is right, as in scikit-learn; -1 was right by mistake
    "verbose": frozenset({"0", "True", "10**12"}),
}
"""Of `WRONG`, the values that each argument of `Unwarper` may take, or that it may cap."""


SEEDS_OF_NUMPY = frozenset({"0", "None", "[1, 2]", "array([1, 2])"})
"""Of `WRONG`, the values that seed a generator of numpy."""


def all_inputs(world: World) -> list[Attack]:
    """Every bad input of this file, each kind after the other."""
    parts: tuple[Callable[[World], Iterator[Attack]], ...] = (
        arguments,
        arrays,
        methods,
        overrides,
        files,
        configurations,
        commands,
        forms,
        companions,
        choices,
        warp_methods,
        training,
        analyses,
        scores,
        readers,
    )
    return [attack for part in parts for attack in part(world)]


def arguments(world: World) -> Iterator[Attack]:
    """Arguments of `Unwarper` of another type or out of range, one at a time."""
    base: dict[str, Any] = {"max_steps": 1, "n_clusters": 2, "device": "cpu"}
    for domain in ("image", "series"):
        x, _ = world.of(domain)
        for name, right in RIGHT.items():
            if name == "sampling_rate" and domain == "image":
                right = COUNT
            for text in sorted(WRONG.keys() - right):
                act = partial(_fit, x, base | {name: WRONG[text]})
                words = (name, start_of(WRONG[text]))
                yield Attack("argument", f"Unwarper({name}={text}), {domain}", act, words)


def _fit(x: Any, options: Mapping[str, Any]) -> None:
    Unwarper(**options).fit(x)


def bad_arrays(x: Any) -> dict[str, Any]:
    """Arrays that cannot be samples of the shape of `x` (N, ...), by name."""
    x = np.asarray(x)
    gap, endless = x.copy(), x.copy()
    gap[..., 1], endless[1, ..., 1] = np.nan, np.inf
    return {
        "[]": [],
        "no rows": x[:0],
        "no columns": x[..., :0],
        "a number": 3.0,
        "None": None,
        "a file that does not exist": "absent.npy",
        "an empty path": "",
        "texts": np.full(x.shape, "a"),
        "objects": np.full(x.shape, object()),
        "complex": x + 1j,
        "NaN": gap,
        "infinite": endless,
        "too many axes": x[None, None, None],
        "one axis": x.reshape(-1),
        "dates": np.full(x.shape, np.datetime64("2024-01-01")),
        "sparse": csr_matrix(x.reshape(len(x), -1)),
        "a dict": {"x": x},
        "a set": {1.0, 2.0},
        "a generator": (row for row in x),
        "ragged rows": [x[0], x[1][..., :2], []],
        "rows of texts": ["a", "b"],
        "a complex tensor": torch.from_numpy(x + 1j),
        "beyond float32": x.astype(np.float64) * 1e300,
        "records": np.zeros(len(x), [("a", "f4"), ("b", "f4")]),
        "bytes": b"\x00\x01",
        "a function": len,
        "a boolean": True,
        "a meta tensor": torch.empty(x.shape, device="meta"),
    }


def arrays(world: World) -> Iterator[Attack]:
    """Bad samples for `fit` and for each method of a fitted estimator."""
    fresh = {"max_steps": 1, "n_clusters": 2, "device": "cpu"}
    names = ("transform", "align", "predict", "template", "reconstruct", "score")
    for domain in ("image", "series"):
        x, model = world.of(domain)
        verbs = {name: getattr(model, name) for name in (*names, "transform_params")}
        for name, value in bad_arrays(x).items():
            yield Attack("array", f"fit({name}), {domain}", partial(_fit, value, fresh))
            for verb, act in verbs.items():
                yield Attack("array", f"{verb}({name}), {domain}", partial(act, value))
        yield Attack("array", f"align(half as wide), {domain}", partial(model.align, x[..., ::2]))


def methods(world: World) -> Iterator[Attack]:
    """Bad arguments of the methods of a fitted estimator."""
    for domain in ("image", "series"):
        x, model = world.of(domain)
        for text in sorted(WRONG.keys() - {"10**12"}):
            value, where = WRONG[text], f"={text}), {domain}"
            words = start_of(value)
            act = partial(model.sample, value)
            yield Attack("method", f"sample(n{where}", act, ("n", words))
            if text not in SEEDS_OF_NUMPY:
                act = partial(model.sample, 1, random_state=value)
                words_of_seed = ("random_state", words)
                yield Attack("method", f"sample(random_state{where}", act, words_of_seed)
            act = partial(model.sample, 1, source=value)
            yield Attack("method", f"sample(source{where}", act, ("source", words))
            if text not in ("'5'", "'no such'"):
                yield Attack("method", f"save({text}), {domain}", partial(model.save, value))
            yield Attack("method", f"load({text}), {domain}", partial(Unwarper.load, value))
            yield Attack("method", f"transform_points({where}", _points(model, x, value))
            if domain == "series":
                yield Attack("method", f"transform_events({where}", _events(model, x, value))
        for name, codes in bad_arrays(model.transform(x)).items():
            act = partial(model.inverse_transform, codes)
            yield Attack("method", f"inverse_transform({name}), {domain}", act)
        theta = model.transform_params(x, full=True).to_numpy()
        for name, params in bad_arrays(theta).items():
            if name != "None":
                act = partial(model.inverse_transform, model.transform(x), params)
                yield Attack("method", f"inverse_transform(Z, {name}), {domain}", act)


def _points(model: Unwarper, x: Any, points: Any) -> Callable[[], object]:
    return partial(model.transform_points, x, points)


def _events(model: Unwarper, x: Any, events: Any) -> Callable[[], object]:
    return partial(model.transform_events, x, [[value] for value in (events,)])


def numeric_fields(record: Any, prefix: str = "") -> Iterator[str]:
    """Dotted names of the numbers in a description of a recipe."""
    for name, value in record.items():
        if isinstance(value, dict):
            yield from numeric_fields(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{name}"


def overrides(world: World) -> Iterator[Attack]:
    """Fields of recipes of another type or out of range, one at a time."""
    for family, recipe in Recipe.registry.items():
        if not recipe.__module__.startswith("unwarp."):
            continue
        fields = set(numeric_fields(describe(recipe())))
        if family != "ae":
            fields -= set(numeric_fields(describe(Recipe.registry["ae"]())))
        for field in sorted(fields):
            for text in ("nan", "inf", "'no such'", "[1, 2]", "{}", "object()", "1+2j"):
                if text == "inf" and field.endswith(".clip"):  # no clipping
                    continue
                options = {"recipe": family, "overrides": {field: WRONG[text]}, "max_steps": 1}
                act = partial(_fit, world.x, options | {"device": "cpu"})
                label = f"Unwarper({family!r}, overrides={{{field!r}: {text}}})"
                words = (field.split(".")[-1], start_of(WRONG[text]))
                yield Attack("override", label, act, words)


def files(world: World) -> Iterator[Attack]:
    """Damaged and strange files of every format, as a source."""
    folder = Path("damaged")
    folder.mkdir()
    for suffix, item in formats().items():
        if item.writer is None:
            continue
        content = Path(f"valid{suffix}").read_bytes()
        damages = {
            "empty": b"",
            "spaces": b" \n \n",
            "zeros": bytes(200),
            "noise": np.random.default_rng(0).bytes(300),
            "half": content[: len(content) // 2],
            "start and noise": content[:40] + np.random.default_rng(1).bytes(300),
            "UTF-16": "1,2\n3,4\n".encode("utf-16"),
            "another format": b"<html><body>404</body></html>",
            "braces": b"{" * 100_000,
        }
        for name, damage in damages.items():
            path = folder / f"{name.replace(' ', '_')}{suffix}"
            path.write_bytes(damage)
            act, words = partial(_fit, str(path), {"max_steps": 1}), (path.name,)
            yield Attack("file", f"fit({suffix or 'no suffix'}, {name})", act, words)
        place = folder / f"a_folder{suffix}"
        place.mkdir()
        act = partial(_fit, str(place), {"max_steps": 1})
        yield Attack("file", f"fit(a folder named {place.name})", act, (place.name,))
    yield from _special_files(folder)


def _special_files(folder: Path) -> Iterator[Attack]:
    """Pipes, devices, links in a circle, pictures without pixels, and archives that explode."""
    os.mkfifo(folder / "pipe.npy")
    (folder / "circle.npy").symlink_to("circle.npy")
    pictures = folder / "pictures"
    pictures.mkdir()
    for i in range(12):
        (pictures / f"{i}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    large = folder / "large"
    large.mkdir()
    Image.new("1", (6000, 6000)).save(large / "0.png")
    for i in range(1, 3000):
        (large / f"{i}.png").hardlink_to(large / "0.png")
    np.savez_compressed(folder / "bomb.npz", x=np.zeros((30_000, 10_000), np.float32))
    for name in ("pipe.npy", "circle.npy", "pictures", "large", "bomb.npz"):
        act = partial(_fit, str(folder / name), {"max_steps": 1})
        yield Attack("file", f"fit({name})", act, (name,))
    for device in ("/dev/zero", "/dev/null", "/dev/tty", "/proc/self/mem"):
        yield Attack("file", f"fit({device})", partial(_fit, device, {"max_steps": 1}), (device,))


def configurations(world: World) -> Iterator[Attack]:
    """Files for `--config` that are no lists of fields, or hold wrong values."""
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
    )
    contents = {
        "latin-1": "n_content: 8 # é".encode("latin-1"),
        "UTF-16": "n_content: 8".encode("utf-16"),
        "zeros": bytes(50),
        "a list": b"[1, 2]",
        "a number": b"3",
        "a text": b"hello",
        "tabs": b"n_content:\t8\n\tlr: 3",
        "an alias bomb": (bomb + "n_content: *j\n").encode(),
        "deep": b"[" * 20_000,
        "deep flow": b"n_content: " + b"[" * 5_000 + b"]" * 5_000,
        "an object": b"!!python/object/apply:os.getcwd []",
        "two documents": b"n_content: 8\n---\nn_content: 9\n",
        "numbers as keys": b"1: 2\n",
        "null as key": b"~: 2\n",
        "a list as key": b"? [1, 2]\n: 3\n",
        "a loop": b"&a\nnet: *a\n",
        "a date": b"n_content: 2024-01-01",
        "nan": b"optimiser: {lr: .nan}",
        "inf": b"optimiser.lr: .inf",
        "unknown": b"no_such_field: 1",
        "negative": b"n_content: -1",
        "huge": b"n_content: 1000000000",
        "passes": b"passes: [1, 1000000000]",
        "refinements": b"refinements: 1000000",
        "channels": b"net: {channels: 1000000000}",
        "a text for a number": b"n_content: eight",
        "a family": b"family: 3",
        "a warp": b"warp: no_such_warp",
        "a warp of a module": b"warp: {family: Affine2d, module: os}",
        "a long integer": b"n_content: " + b"9" * 5000,
    }
    for name, content in contents.items():
        path = Path(f"config_{name.replace(' ', '_')}.yaml")
        path.write_bytes(content)
        words: tuple[object, ...] = ("fit", "x.npy", "--config", path, *QUICK)
        act = partial(command, *words, "--out", f"runs/{path.stem}")
        yield Attack("config", f"fit --config ({name})", act)
