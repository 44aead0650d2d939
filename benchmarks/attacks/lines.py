"""Bad command lines: options, fields, places, numbers of samples, plugins and the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path
from unittest.mock import patch

from benchmarks.attacks.verdicts import Attack, command
from benchmarks.attacks.world import World

QUICK = ("--steps", 1, "--quiet", "--device", "cpu")
WORDS = ("-1", "0", "nan", "inf", "1e99", "4294967296", "five", "", "1,2", "-", "é", "1.5", "[]")
"""Values that are wrong for most options of the command line."""

RIGHT_WORDS = {
    "--seed": {"0"},
    "--sampling-rate": {"1.5", "1e99", "4294967296"},
    "--steps": {"4294967296"},
    "--seconds": {"1.5", "1e99", "inf", "4294967296"},
    "--out": {"0", "nan", "inf", "1e99", "five", "1,2", "é", "1.5", "[]", "-1", "-", "4294967296"},
    "--draws": {"0", "4294967296"},
    "-n": {"4294967296"},
    "--index": {"0"},
    "--span": {"1.5", "1e99", "4294967296"},
    "--plus": {"0", "1,2"},
    "--minus": {"0", "1,2"},
    "--to": {"0", "1,2"},
}
"""Of `WORDS`, the values that are right for an option or only take long."""

LEARNING = ("fit", "demo")
"""Commands that need a folder for a run."""

FIT = ("fit", "series.npy", *QUICK)
ARITHMETIC = ("arithmetic", "image_model", "x.npy", "--plus", "1", "--minus", "2", "--to", "3")
OPTIONS: tuple[tuple[tuple[object, ...], tuple[str, ...]], ...] = (
    (
        FIT,
        (
            *("--seed", "--steps", "--seconds", "--sampling-rate", "--warp", "--domain"),
            *("--missing", "--scale", "--device", "--precision", "--set", "--config"),
        ),
    ),
    (("demo", *QUICK), ("--seed", "--steps", "--device", "--precision", "--set", "--config")),
    (("evaluate", "image_model", "x.npy"), ("--draws", "--device")),
    (("align", "image_model", "x.npy"), ("--out", "--device")),
    (("embed", "image_model", "x.npy"), ("--out", "--device")),
    (("sample", "image_model"), ("-n", "--from", "--seed", "--out")),
    (("interpolate", "image_model", "x.npy", 0, 1), ("--path", "-n", "--out")),
    (("traverse", "image_model", "x.npy"), ("--of", "--index", "--span", "-n", "--out")),
    (ARITHMETIC, ("--plus", "--minus", "--to", "--out")),
)
"""Commands that work, and their options."""

OUT_OF_EXHIBITS = ("sample", "interpolate", "traverse", "arithmetic")
"""Commands with an `--out` that needs a suffix, so that all of `WORDS` are wrong."""


def commands(world: World) -> Iterator[Attack]:
    """Options and arguments of every command, one wrong at a time."""
    yield from _options()
    yield from _places()
    yield from _settings()
    yield from _numbers_of_samples()
    yield from _outputs()
    yield from _environments()
    for line in ("--no-such", "no-such", "--plugin", "--plugin no_such info", "info --json=3"):
        yield Attack("command", f"unwarp {line}", partial(command, *line.split()))
    for words in (("align", "aligned.xyz"), ("embed", "embedding.npz")):
        act = partial(command, words[0], "image_model", "x.npy", "--out", words[1])
        yield Attack("command", f"{words[0]} --out {words[1]}", act, (words[1],))


def _options() -> Iterator[Attack]:
    """Wrong values of the options of commands that would work without them."""
    for words, options in OPTIONS:
        for option in options:
            right = RIGHT_WORDS.get(option, set())
            if option == "--out" and words[0] in OUT_OF_EXHIBITS:
                right = set()
            for i, value in enumerate(WORDS):
                if value in right:
                    continue
                out = ("--out", f"runs/{words[0]}{option}{i}") if words[0] in LEARNING else ()
                act = partial(command, *words, *out, option, value)
                name = option if option != "--out" else str(Path(value))  # a path names itself
                yield Attack("command", f"{words[0]} {option} {value!r}", act, (name, value))


def _places() -> Iterator[Attack]:
    """Models and sources that are none."""
    places = ("", "absent", "x.npy", "/dev/null", "damaged", "é" * 300, "a\nb", "run/run.json")
    for verb in ("evaluate", "align", "embed", "traverse", "sample", "info", "resume"):
        source = () if verb in ("sample", "info", "resume") else ("x.npy",)
        for place in places:
            if not (verb == "info" and not place):
                act = partial(command, verb, place, *source)
                yield Attack("command", f"{verb} {place[:20]!r}", act)
    sources = {*places, "damaged/pipe.npy", "series_model", "run"} - {"x.npy"}
    for verb, place in product(("evaluate", "align", "embed", "traverse"), sorted(sources)):
        act = partial(command, verb, "image_model", place)
        yield Attack("command", f"{verb} image_model {place[:20]!r}", act)


SETTINGS = (
    *("", "=", "=3", "n_content", "n_content=", "n_content=nan", "n_content=~", "n_content=yes"),
    *("n_content=[1]", "n_content={a: 1}", "n_content=-3", "n_content=1e9", "n_content=0x", "a=b"),
    *("n_content=1: 2: 3", "n_content=&a *a", "n_content=!!python/name:os.system", "family=none"),
    *("optimiser=3", "optimiser.lr=-1", "optimiser.lr=fast", "optimiser.betas=[1]", "passes=[1]"),
    *("optimiser.betas=[.9, 1.5]", "optimiser.no_such=1", "optimiser.lr.x=1", "warp={}", "warp=3"),
    *("warp.rotation=-5", "warp.rotation=1e9", "warp.no_such=1", "warp=affine+", "warp.module=os"),
    *("net.kind=resnet", "net.encoder=[0]", "net.encoder=wide", "net.channels=7", "net.norm=2.5"),
    *("net.channels=1e12", "net=3", "sigma=-1", "sigma=wide", "prior=0", "likelihood=poisson"),
    *("gaps=maybe", "crop=0", "crop=2", "padding=wrap", "starts=none", "starts=0", "encoder=two"),
    *("start=corner", "refinements=1e9", "pose_clusters=-1", "é=1", "n_content=é", "such.such=1"),
)
"""Texts for `--set` that no recipe takes."""


def _settings() -> Iterator[Attack]:
    """Fields that do not exist, and values that they cannot have."""
    for i, (verb, setting) in enumerate(product(LEARNING, SETTINGS)):
        words = FIT if verb == "fit" else (verb, *QUICK)
        act = partial(command, *words, "--out", f"runs/set{i}", "--set", setting)
        name = setting.partition("=")[0].split(".")[-1]
        yield Attack("command", f"{verb} --set {setting!r}", act, (name,))


def _numbers_of_samples() -> Iterator[Attack]:
    """Numbers of the first and the last sample of an interpolation that do not exist."""
    for value in ("-1", "20", "nan", "five", "", "1,2", "é", "1.5", "[]", "1e99", "9" * 30):
        for numbers in ((value, 0), (0, value)):
            # without the dashes, -1 is read as an option
            act = partial(command, "interpolate", "image_model", "x.npy", "--", *numbers)
            yield Attack("command", f"interpolate {numbers}", act, (value,))
    for name, value in product(("--plus", "--minus", "--to"), ("20", "0,20", "0,-1", "0,,1", ",")):
        act = partial(command, *ARITHMETIC, name, value)
        yield Attack("command", f"arithmetic {name} {value}", act, (name, value.split(",")[-1]))


def _outputs() -> Iterator[Attack]:
    """Outputs that are folders, inputs or devices, or cannot be written."""
    outputs = ("image_model", "run", "/dev/null", "/proc/a", "x.npy/a", "x.npy", "/", "no\0.npz")
    for verb, out in product(("align", "embed"), outputs):
        act = partial(command, verb, "image_model", "x.npy", "--out", out)
        yield Attack("command", f"{verb} --out {out!r}", act)
    for verb, out in product(("sample", "fit"), ("/dev/null", "/proc/a", "x.npy", "no\0.npz")):
        words = FIT if verb == "fit" else (verb, "image_model")
        yield Attack("command", f"{verb} --out {out!r}", partial(command, *words, "--out", out))
    for name in ("", "é", "a.b.c", "os.no_such", "../x", "1abc", "os.path.", " ", "a\nb", "x.npy"):
        act = partial(command, "--plugin", name, "info")
        yield Attack("command", f"--plugin {name!r} info", act, ("--plugin",))


def _environments() -> Iterator[Attack]:
    """Values of environment variables that are out of range, or name no folder."""
    for value in ("0", "-1", "1e9", "all", "nan", "\u0661", "1 2"):
        act = partial(_with_variable, "UNWARP_MAX_BYTES", value, FIT)
        label = f"UNWARP_MAX_BYTES={value} unwarp fit"
        yield Attack("command", label, act, ("UNWARP_MAX_BYTES", value))
    for value, name in product(("absent", "x.npy", "/dev/null"), ("mnist", "affnist")):
        act = partial(_with_variable, "UNWARP_DATA", value, ("fit", name, *QUICK))
        yield Attack("command", f"UNWARP_DATA={value} unwarp fit {name}", act, (value,))


def _with_variable(name: str, value: str, words: tuple[object, ...]) -> None:
    with patch.dict(os.environ, {name: value}):
        command(*words, "--out", "runs/environment")
