"""Fuzzers: mutated files of every format, models, checkpoints, settings and command lines."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.random import Generator
from PIL import Image

from benchmarks.attacks.verdicts import Attack, Verdict, command, judge_all
from benchmarks.attacks.world import World
from unwarp import AE, Unwarper
from unwarp.app.job import load_job
from unwarp.data.formats.files import read
from unwarp.data.formats.registry import formats
from unwarp.data.opening import as_source
from unwarp.planning.overrides import apply_overrides, parse_overrides
from unwarp.training.checkpoint import Checkpoint

TOKENS = (
    *(b"\x00", b"\xff\xff\xff\xff", b"\xff\xfe", b"\n", b"\r", b'"', b"'", b",", b";", b"\t", b"?"),
    *(b"nan", b"-inf", b"1e999", b"-1", b"0", b"99999999999999999999", b"NaN:NaN", b"2024-13-45"),
    *(b"{", b"[", b"]}", b"null", b"@data\n", b"%", b":", b"&a *a", b"!!python/name:os", b"~"),
)
"""Pieces of bytes that readers treat in a special way."""

VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 10**9, 2**63, 1e308, float("nan"), float("inf"), 0.5, "", "x", "AE"),
    *([], {}, [[]], [-1, 0], {"family": "AE"}, {"family": "Affine2d", "module": "os"}, "../x"),
)
"""Values that replace a value of a record."""

LIMIT_OF_COMMAND = 90.0
"""Longest time in seconds of a command line; a right one may train."""

LONGEST_BATCH = 400
"""Attacks between two looks at the clock."""


def mutate_bytes(content: bytes, rng: Generator) -> bytes:
    """The bytes after one to four small changes."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        start, length = rng.integers(0, len(data) + 1), int(rng.integers(1, 9))
        match rng.integers(0, 6):
            case 0 if start < len(data):
                data[start] ^= 1 << int(rng.integers(0, 8))
            case 1:
                del data[start : start + length]
            case 2:
                data[start:start] = TOKENS[rng.integers(0, len(TOKENS))]
            case 3:
                token = TOKENS[rng.integers(0, len(TOKENS))]
                data[start : start + len(token)] = token
            case 4:
                data[start:start] = data[start : start + 8 * length]
            case _:
                data = data[: max(1, int(start))] if rng.random() < 0.2 else data
    return bytes(data)


def mutate_record(record: Any, rng: Generator) -> Any:
    """A copy of a record of JSON with one value or key replaced, removed or repeated."""
    record = copy.deepcopy(record)
    places = list(_places(record))
    place, key = places[rng.integers(0, len(places))]
    match rng.integers(0, 5):
        case 0:
            del place[key]
        case 1 if isinstance(place, dict):
            place["no_such_key"] = place[key]
        case 2 if isinstance(place[key], int | float):
            place[key] = place[key] * int(rng.choice([-1, 2, 1000, 10**9]))
        case _:
            place[key] = VALUES[rng.integers(0, len(VALUES))]
    return record


def _places(record: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a record with each of its keys."""
    keys = record if isinstance(record, dict) else range(len(record))
    for key in keys:
        yield record, key
        if isinstance(record[key], dict | list):
            yield from _places(record[key])


@dataclass(frozen=True)
class Target:
    """A valid file, and what a user does with it.

    Attributes:
        name: Name in the results.
        path: The file; each attack replaces its content.
        content: Its valid content.
        use: Function that hands the file to the library.
    """

    name: str
    path: Path
    content: bytes
    use: Callable[[], object]

    def attack(self, seed: int) -> Attack:
        """The attack with a seed; every second one on JSON changes the record, not its bytes."""
        return Attack(self.name, f"{self.name}, seed {seed}", partial(self.act, seed))

    def act(self, seed: int) -> None:
        """Write the mutated file and use it; every attack leaves the valid file behind."""
        try:
            self.path.write_bytes(self.mutant(seed))
            self.use()
        finally:
            self.path.write_bytes(self.content)

    def mutant(self, seed: int) -> bytes:
        """The mutated content of a seed."""
        rng = np.random.default_rng(seed)
        if self.path.suffix == ".json" and rng.random() < 0.7:
            return json.dumps(mutate_record(json.loads(self.content), rng)).encode()
        return mutate_bytes(self.content, rng)


def reader_targets(world: World) -> Iterator[Target]:
    """A file of every format, and pictures in a folder."""
    for suffix, item in formats().items():
        if item.writer is not None:
            path = Path(f"valid{suffix}")
            name = f"reader {suffix or 'no suffix'}"
            yield Target(name, path, path.read_bytes(), partial(read, path))
    for suffix in (".png", ".jpg", ".gif", ".bmp", ".tiff"):
        folder = Path(f"pictures{suffix}")
        folder.mkdir()
        for i in range(2):
            Image.fromarray((255 * world.x[i]).astype(np.uint8)).save(folder / f"{i}{suffix}")
        path = folder / f"0{suffix}"
        yield Target(f"picture {suffix}", path, path.read_bytes(), partial(as_source, str(folder)))


def model_targets(world: World) -> Iterator[Target]:
    """Every file of a model folder, of images and of series."""
    for domain in ("image", "series"):
        x, _ = world.of(domain)
        folder = Path(f"fuzzed_{domain}")
        shutil.copytree(f"{domain}_model", folder)
        for path in sorted(folder.iterdir()):
            use = partial(_load_and_use, folder, x)
            yield Target(f"model {path.name}", path, path.read_bytes(), use)


def _load_and_use(folder: Path, x: Any) -> None:
    """Load a model, and use it if that is allowed."""
    model = Unwarper.load(folder)
    model.transform(x[:3])
    model.align(x[:3])


def run_targets(world: World) -> Iterator[Target]:
    """The job and the checkpoint of a run."""
    path = Path("run/run.json")
    yield Target(
        "run.json", path, path.read_bytes(), lambda: load_job(path.parent).make_estimator()
    )
    checkpoint = Path("fuzzed.checkpoint")
    parameters = world.image_model.get_params()

    def resume() -> None:
        model = Unwarper(**parameters | {"max_steps": 3})
        model.fit(world.x, callbacks=[Checkpoint(checkpoint, interval=2)])

    resume()
    yield Target("checkpoint", checkpoint, checkpoint.read_bytes(), resume)


def _make_estimator() -> None:
    load_job(Path("run")).make_estimator()


def setting_targets(world: World) -> Iterator[Target]:
    """Config files in YAML and JSON."""
    settings = {"n_content": 8, "sigma": 0.5, "optimiser": {"lr": 1e-3}, "passes": [1, 2]}
    text = "n_content: 8\nsigma: .5\noptimiser: {lr: 1.0e-3, betas: [.9, .99]}\nwarp: affine\n"
    contents = {".json": json.dumps(settings).encode(), ".yaml": text.encode()}
    for suffix, content in contents.items():
        path = Path(f"fuzzed{suffix}")
        path.write_bytes(content)
        yield Target(f"config {suffix}", path, content, partial(_override, path))


def _override(path: Path) -> None:
    apply_overrides(AE(), parse_overrides(path))


COMMAND_WORDS = (
    *("fit", "resume", "evaluate", "align", "embed", "sample", "interpolate", "traverse"),
    *("arithmetic", "info", "image_model", "series_model", "run", "x.npy", "series.npy", "bumps"),
    *("--out", "--steps", "--seed", "-n", "--index", "--span", "--of", "--from", "--path", "--set"),
    *("--plus", "--minus", "--to", "--json", "--quiet", "--device", "cpu", "--warp", "time", "0"),
    *("--missing", "--scale", "--domain", "1", "-1", "1e99", "nan", "a=b", "n_content=2", "x.gif"),
    *("o.npz", "o.png", "content", "deformation", "prior", "--", "--help", "--config", "", "é"),
)
"""Words of a random command line."""


def random_command(seed: int) -> Attack:
    """A command line of random words."""
    rng = np.random.default_rng(seed)
    words = [COMMAND_WORDS[i] for i in rng.integers(0, len(COMMAND_WORDS), rng.integers(1, 8))]
    words[0] = COMMAND_WORDS[rng.integers(0, 10)]
    quick = ("--steps", "1", "--out", f"fuzzed_runs/{seed}") if words[0] == "fit" else ()
    act = partial(command, *words, *quick)
    return Attack("command line", f"command line, seed {seed}: {' '.join(words)}", act)


def fuzz(world: World, seconds: float, limit: float) -> Mapping[str, list[Verdict]]:
    """Verdicts by name of the target, as many as a time budget allows.

    Args:
        world: Valid samples, models and files.
        seconds: Time budget of each of the four fuzzers.
        limit: Longest time of one attack, unless it is a command line.
    """
    fuzzers: dict[str, tuple[Target, ...]] = {
        "readers": tuple(reader_targets(world)),
        "models": (*model_targets(world), *run_targets(world)),
        "settings": tuple(setting_targets(world)),
    }
    makers: dict[str, Callable[[int], Attack]] = {
        name: partial(_attack_in_turn, targets) for name, targets in fuzzers.items()
    }
    makers["command line"] = random_command
    # a valid command, such as `fit bumps`, trains trials and two models, which is no hang
    limits = {"command line": LIMIT_OF_COMMAND}
    return {name: _fuzz(make, seconds, limits.get(name, limit)) for name, make in makers.items()}


def _attack_in_turn(targets: tuple[Target, ...], seed: int) -> Attack:
    """The attack of a seed on the target whose turn it is."""
    return targets[seed % len(targets)].attack(seed)


def _fuzz(make: Callable[[int], Attack], seconds: float, limit: float) -> list[Verdict]:
    """Verdicts on attacks with seeds 0, 1, ... until the time is up; good ones without detail."""
    end, verdicts, size = monotonic() + seconds, list[Verdict](), 20
    while (left := end - monotonic()) > 0:
        began, attacks = monotonic(), [make(len(verdicts) + i) for i in range(size)]
        verdicts += [
            verdict if verdict.outcome in ("raw", "hang", "crash") else replace(verdict, detail="")
            for verdict in judge_all(attacks, limit)
        ]
        pace = (monotonic() - began) / size
        size = max(1, min(LONGEST_BATCH, int(left / 4 / pace)))
    return verdicts
