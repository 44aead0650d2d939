"""Bad inputs of the research face: warps, recipes, training, analysis, scores and data sets."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import nn

from benchmarks.attacks.verdicts import Attack, start_of
from benchmarks.attacks.world import SMALL, World
from unwarp import analysis, data, datasets, metrics, models, warps
from unwarp.data.dataset import Dataset
from unwarp.models import AE, Net, Optimiser, Player
from unwarp.training import train
from unwarp.warps import Affine2d, CosineTime, Window

ODD: Mapping[str, Any] = {
    "-1": -1,
    "nan": float("nan"),
    "inf": float("inf"),
    "'no such'": "no such",
    "b'x'": b"x",
    "None": None,
    "[]": [],
    "{}": {},
    "1+2j": 1 + 2j,
    "object()": object(),
    "array([1, 2])": np.array([1, 2]),
    "True": True,
    "10**400": 10**400,
}
"""Values that are wrong for most parameters, by the way they are written."""


def is_possible(name: str, hint: str, text: str) -> bool:
    """Whether a value of `ODD` may be right for a field with this name and type."""
    if text == "None":
        return "None" in hint
    if text == "True":
        return hint == "bool"
    if text == "'no such'":
        return hint == "str"
    if text == "[]":  # networks without hidden layers
        return name in ("encoder", "decoder", "discriminator")
    return text == "10**400" and name == "warmup"


def choices(world: World) -> Iterator[Attack]:
    """Fields of warps, recipes, networks and optimisers of another type or out of range."""
    members: list[tuple[Callable[..., object], Any]] = [(Net, Net()), (Optimiser, Optimiser())]
    members += [(family, None) for family in warps.families().values() if family is not warps.Chain]
    members += [(family, None) for family in models.families().values()]
    for family, _ in members:
        if not family.__module__.startswith("unwarp."):
            continue
        base = set() if family in (AE, Net, Optimiser) else {item.name for item in fields(AE)}
        for item in fields(family):  # type: ignore[arg-type]
            if item.name in base or not item.init:
                continue
            for text, value in ODD.items():
                if is_possible(item.name, str(item.type), text):
                    continue
                act = partial(family, **{item.name: value})
                label = f"{family.__name__}({item.name}={text})"
                yield Attack("choice", label, act, (item.name, start_of(value)))


def warp_methods(world: World) -> Iterator[Attack]:
    """Names, sizes and tensors that do not fit a warp or a map."""
    for text in ("", "+", "affine+", "no such", "time+time", "affine+time", " ", "Affine", "chain"):
        yield Attack("warp", f"warp_named({text!r})", partial(warps.warp_named, text), ("warp",))
    for text, value in ODD.items():
        yield Attack("warp", f"warp_named({text})", partial(warps.warp_named, value), ("warp",))
    for text, value in ODD.items():
        yield Attack("warp", f"Chain({text})", partial(warps.Chain, value, Affine2d()), ("links",))
    affine, time = Affine2d().bind((12, 12)), CosineTime(3).bind((32,))
    for text, value in {**ODD, "0": 0, "(0,)": (0,), "(12,)": (12,), "(-1, 5)": (-1, 5)}.items():
        yield Attack("warp", f"Affine2d().bind({text})", partial(affine.bind, value), ("size",))
        if text != "(12,)":
            yield Attack("warp", f"CosineTime().bind({text})", partial(time.bind, value), ("size",))
        if text != "0":
            yield Attack("warp", f"sample(n={text})", partial(affine.sample, value), ("n",))
        if text not in ("0", "True"):
            act = partial(affine.sample, 2, fraction=value)
            yield Attack("warp", f"sample(fraction={text})", act, ("fraction",))
    tensors: dict[str, Any] = {
        "a list": [[0.0] * 6],
        "an array": np.zeros((1, 6)),
        "None": None,
        "one axis": torch.zeros(6),
        "too few columns": torch.zeros(2, 5),
        "whole numbers": torch.zeros(2, 6, dtype=torch.int64),
        "complex": torch.zeros(2, 6, dtype=torch.complex64),
    }
    for name, value in tensors.items():
        yield Attack("warp", f"Affine2d().map({name})", partial(affine.map, value), ("theta",))
        yield Attack("warp", f"CosineTime().map({name})", partial(time.map, value), ("theta",))
        for verb in ("deform", "align"):
            act = partial(getattr(warps, verb), value, affine.map(torch.zeros(2, 6)))
            yield Attack("warp", f"{verb}({name})", act, ("x",))
    x = torch.zeros(2, 1, 12, 12)
    rows = affine.map(torch.zeros(3, 6))
    for name, map in {"a list": [1], "None": None, "a tensor": x, "three rows": rows}.items():
        yield Attack("warp", f"deform(map: {name})", partial(warps.deform, x, map), ("map",))
    for text, value in {**ODD, "'wrap'": "wrap"}.items():
        act = partial(warps.deform, x, affine.map(torch.zeros(2, 6)), padding=value)
        yield Attack("warp", f"deform(padding={text})", act, ("padding",))
        yield Attack("warp", f"Window.frame({text})", partial(Window.frame, value), ("size",))


def training(world: World) -> Iterator[Attack]:
    """Arguments of `train`, `Player`, `Dataset` and `build` that do not fit."""
    recipe = AE(n_content=2, warp=Affine2d(), net=SMALL)
    samples = Dataset(torch.rand(20, 1, 12, 12))
    model = recipe.build((1, 12, 12))
    good = {"steps": 1, "batch_size": 8, "device": "cpu"}
    players = recipe.players(model)
    right = {
        "steps": set[str](),
        "batch_size": {"10**400"},
        "seconds": {"None"},
        "seed": {"10**400"},
        "device": set[str](),
        "precision": set[str](),
        "callbacks": {"[]"},
        "facts": {"None", "{}"},
    }
    for name, possible in right.items():
        for text in sorted(ODD.keys() - possible):
            act = partial(train, model, players, samples, **(good | {name: ODD[text]}))
            words = (name, start_of(ODD[text]))
            yield Attack("training", f"train({name}={text})", act, words)
    for text, value in {**ODD, "a list": [1, 2], "a Linear": nn.Linear(1, 1)}.items():
        if text != "a Linear":
            act = partial(train, value, players, samples, **good)
            yield Attack("training", f"train(model: {text})", act, ("model",))
        act = partial(train, model, value, samples, **good)
        yield Attack("training", f"train(players: {text})", act, ("players",))
        act = partial(train, model, players, value, **good)
        yield Attack("training", f"train(data: {text})", act, ("data",))
        act = partial(Dataset, value)
        yield Attack("training", f"Dataset({text})", act, ("x",))
        if text != "None":
            act = partial(Dataset, samples.x, labels=value)
            yield Attack("training", f"Dataset(labels: {text})", act, ("labels",))
    loss = players[0].loss
    good_player = {"name": "a", "module": nn.Linear(1, 1), "loss": loss}
    possible_of_player = {"name": "'no such'", "ema": "None", "measure": "None"}
    names = [item.name for item in fields(Player)]
    for name in names:
        for text in sorted(ODD.keys() - {possible_of_player.get(name, "")}):
            if name == "interval" and text == "10**400":
                continue
            act = partial(Player, **(good_player | {name: ODD[text]}))
            words = (name, start_of(ODD[text]))
            yield Attack("training", f"Player({name}={text})", act, words)
    for text, value in {**ODD, "(1, 2, 3, 4, 5)": (1, 2, 3, 4, 5), "(0, 0, 0)": (0, 0, 0)}.items():
        yield Attack("training", f"build({text})", partial(recipe.build, value), ("shape",))
        if text not in ("10**400",):
            act = partial(recipe.build, (1, 12, 12), seed=value)
            yield Attack("training", f"build(seed={text})", act, ("seed",))
    yield from _recipe_names()


def _recipe_names() -> Iterator[Attack]:
    for text, value in {**ODD, "''": "", "'AE'": "AE"}.items():
        act = partial(models.recipe_named, value)
        yield Attack("training", f"recipe_named({text})", act, ("recipe",))
        for part in ("name", "part"):
            words = {"name": "digits", "part": "train"} | {part: value}
            act = partial(datasets.load, **words)
            yield Attack("training", f"load({part}={text})", act, (part, start_of(value)))


def analyses(world: World) -> Iterator[Attack]:
    """Samples, numbers and models that the functions of `unwarp.analysis` cannot take."""
    model, x = world.image_model.model_, torch.from_numpy(world.x).float()[:, None]
    bad: dict[str, Any] = {
        "a list": [1.0],
        "an array": x.numpy(),
        "None": None,
        "a text": "x.npy",
        "no rows": x[:0],
        "one axis": torch.zeros(5),
        "half as wide": x[..., ::2],
        "three channels": x.expand(-1, 3, -1, -1),
        "NaN": x * torch.nan,
        "complex": x + 1j,
        "whole numbers": x.long(),
    }
    one: dict[str, Callable[[Any], object]] = {
        "embed": partial(analysis.embed, model),
        "encode": partial(analysis.encode, model),
        "traverse": partial(analysis.traverse, model),
        "interpolate a": lambda a: analysis.interpolate(model, a, x[0]),
        "interpolate b": lambda b: analysis.interpolate(model, x[0], b),
        "interpolate_chunks": lambda a: analysis.interpolate_chunks(model, a, x[0]),
        "arithmetic plus": lambda a: analysis.arithmetic(model, a, x, x),
        "arithmetic to": lambda a: analysis.arithmetic(model, x, x, a),
        "traverse_deformation": partial(analysis.traverse_deformation, model),
        "evaluate": partial(analysis.evaluate, model),
    }
    for verb, use in one.items():
        for name, value in bad.items():
            yield Attack("analysis", f"{verb}({name})", partial(use, value))
    rest = (x,)
    calls: dict[str, tuple[Callable[..., object], tuple[Any, ...], set[str]]] = {
        "chunk_size": (analysis.embed, rest, {"10**400"}),
        "device": (analysis.encode, rest, set()),
        "n": (analysis.traverse, rest, {"10**400"}),
        "span": (analysis.traverse, rest, set()),
        "index": (analysis.traverse, rest, {"None"}),
        "path": (analysis.interpolate, (x[0], x[1]), set()),
        "sizes": (analysis.interpolate_chunks, (x[0], x[1]), {"[]"}),
        "draws": (analysis.evaluate, (Dataset(x),), set()),
        "only": (analysis.evaluate, (Dataset(x),), {"[]"}),
        "reference": (analysis.evaluate, (Dataset(x),), {"None"}),
        "cluster_centers": (analysis.evaluate, (Dataset(x),), {"None"}),
    }
    for name, (function, arguments, possible) in calls.items():
        for text in sorted(ODD.keys() - possible):
            act = partial(function, model, *arguments, **{name: ODD[text]})
            label = f"{getattr(function, '__name__', '')}({name}={text})"
            # of an array, a message says the shape
            words = (name,) if name == "cluster_centers" else (name, start_of(ODD[text]))
            yield Attack("analysis", label, act, words)
    for text, value in ODD.items():
        yield Attack("analysis", f"embed(model: {text})", partial(analysis.embed, value, x))
        yield Attack("analysis", f"score({text})", partial(analysis.score, value), ("inputs",))


def score_inputs() -> dict[str, Any]:
    """Valid inputs of scores of 40 samples, by the name of the argument."""
    rng, n = np.random.default_rng(0), 40
    codes, x = rng.normal(size=(n, 3)), rng.random((n, 1, 12))
    labels = np.arange(n) % 2
    shared = {
        "codes": codes,
        "labels": labels,
        "x": x,
        "x_hat": x + 0.1,
        "series": x,
        "aligned": x,
        "templates": x,
        "latents": codes,
        "factor_values": np.stack([labels, np.arange(n) // 2 % 2], 1),
        "content_mean": codes,
        "content_log_sd": codes,
        "log_weights": rng.normal(size=(5, n)),
        "features": codes,
        "sample_features": codes + 1,
        "gaussian_features": codes - 1,
        "sample_labels": labels,
        "cluster_centers": codes[:2],
    }
    return shared | {f"train_{name}": value for name, value in shared.items()}


def scores(world: World) -> Iterator[Attack]:
    """Arrays that scores cannot take, one argument at a time."""
    good = score_inputs()
    for name, function in metrics.scores().items():
        needs = metrics.needs(function)
        if not set(needs) <= good.keys():
            continue
        arguments = {need: good[need] for need in needs}
        for need in needs:
            bad = {
                "None": None,
                "a text": "codes.npy",
                "a number": 3.0,
                "no rows": good[need][:0],
                "objects": np.full(good[need].shape, object()),
                "one row too few": good[need][:-1],
                "sparse": csr_matrix(np.eye(4)),
            }
            if "labels" not in need:
                bad["NaN"] = np.full(good[need].shape, np.nan)
                bad["texts"] = np.full(good[need].shape, "a")
                bad["complex"] = good[need] + 1j
            for title, value in bad.items():
                if title == "one row too few" and _is_alone(need, needs):
                    continue  # a smaller set of samples is right
                act = partial(function, **(arguments | {need: value}))
                yield Attack("score", f"{name}({need}: {title})", act)
        for item in inspect.signature(function).parameters.values():
            if item.default is not inspect.Parameter.empty:
                yield from _settings(name, function, arguments, item)


def _is_alone(need: str, needs: Sequence[str]) -> bool:
    """Whether no other argument of a score has rows of the same samples."""
    free = ("sample_features", "gaussian_features", "cluster_centers", "sample_labels", "features")
    is_reference = need.startswith("train_")
    others = set(needs) - {need, *free}
    return need in free or not any(name.startswith("train_") == is_reference for name in others)


def _settings(
    name: str, function: Any, arguments: Mapping[str, Any], item: inspect.Parameter
) -> Iterator[Attack]:
    """Settings of a score of another type or out of range."""
    for text in sorted(ODD.keys() - {"10**400"}):
        if isinstance(item.default, bool) and text == "True":
            continue
        act = partial(function, **arguments, **{item.name: ODD[text]})
        words = (item.name, start_of(ODD[text]))
        yield Attack("score", f"{name}({item.name}={text})", act, words)


def readers(world: World) -> Iterator[Attack]:
    """Arguments of the functions of `unwarp.data`."""
    series = world.series
    calls: dict[str, tuple[Callable[..., object], tuple[Any, ...], set[str]]] = {
        "missing": (data.pad, (series,), set()),
        "times": (data.pad, (series,), {"None"}),
        "length": (data.resample_to, (series,), {"10**400"}),
        "domain": (data.as_samples, (series,), set()),
        "image_shape": (data.as_samples, (series,), {"None"}),
        "scale": (data.fit_scaler, (series[:, None], "series"), {"None"}),
    }
    for name, (function, arguments, possible) in calls.items():
        for text in sorted(ODD.keys() - possible):
            act = partial(function, *arguments, **{name: ODD[text]})
            label = f"{getattr(function, '__name__', '')}({name}={text})"
            is_array = name == "times"  # of an array, a message says the shape
            words = (name,) if is_array else (name, start_of(ODD[text]))
            yield Attack("reader", label, act, words)
    for text, value in ODD.items():
        yield Attack("reader", f"read({text})", partial(data.read, value))
        yield Attack("reader", f"pad({text})", partial(data.pad, value))
        yield Attack("reader", f"as_samples({text})", partial(data.as_samples, value))
        act = partial(data.fit_scaler, series[:, None], value)
        yield Attack("reader", f"fit_scaler(domain={text})", act, ("domain",))
        for name in ("offset", "factor"):
            if (name, text) not in (("offset", "-1"), ("offset", "array([1, 2])")):
                act = partial(data.Scaler, **{name: value})
                yield Attack("reader", f"Scaler({name}={text})", act, (name,))
