"""Hostile folders: models, checkpoints, runs and configurations that nobody's work has written.

Their checksums are right, as an author would make them. Each must be refused in one line, without
endless work or memory.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save as encode_tensors
from torch import Tensor

from benchmarks.attacks.verdicts import Attack
from unwarp import AE, Affine2d, Unwarper
from unwarp.app.job import load_job
from unwarp.checksums import checksum
from unwarp.models import Net
from unwarp.planning.overrides import apply_overrides, parse_overrides
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.checkpoint_files import RECORD

W = "model.safetensors"
Json = dict[str, Any]
Tensors = dict[str, Tensor]
Change = Callable[[Json, Tensors], object]

SMALL = AE(warp=Affine2d(), n_content=2, net=Net("mlp", (4,), (4,)), views=0.0)
OPTIONS: Mapping[str, Any] = {
    "recipe": SMALL,
    "n_clusters": 2,
    "device": "cpu",
    "domain": "image",
}
STEPS, DEEP = 4, 100_000
X = np.random.default_rng(0).random((12, 6, 6))


def put(*path: Any, value: Any) -> Change:
    """A change that sets a value of the JSON record; the path holds keys."""

    def change(record: Json, tensors: Tensors) -> None:
        for key in path[:-1]:
            record = record[key]
        record[path[-1]] = value

    return change


def drop(*path: Any) -> Change:
    """A change that removes a value of the JSON record."""

    def change(record: Json, tensors: Tensors) -> None:
        for key in path[:-1]:
            record = record[key]
        del record[path[-1]]

    return change


def tensor(part: str, make: Callable[[Tensor], Tensor | None]) -> Change:
    """A change of the first tensor with a text in its name; None removes it."""

    def change(record: Json, tensors: Tensors) -> None:
        name = next(name for name in sorted(tensors) if part in name)
        value = make(tensors.pop(name))
        if value is not None:
            tensors[name] = value.contiguous()

    return change


def add(name: str, value: Tensor) -> Change:
    """A change that adds a tensor."""
    return lambda record, tensors: tensors.update({name: value})


def fill(value: float) -> Callable[[Tensor], Tensor]:
    """A function that sets the first number of a tensor."""

    def change(tensor: Tensor) -> Tensor:
        tensor = tensor.clone()
        tensor.view(-1)[0] = value
        return tensor

    return change


TENSORS: Mapping[str, Change] = {
    "weight removed": tensor("weight", lambda value: None),
    "weight with NaN": tensor("weight", fill(torch.nan)),
    "weight with infinity": tensor("weight", fill(torch.inf)),
    "weight of another shape": tensor("weight", lambda value: value[:1]),
    "weight without numbers": tensor("weight", lambda value: value[:0]),
    "weight added": add("model.other", torch.ones(2)),
}
"""Changes of the tensors of models and checkpoints."""

MODELS: Mapping[str, Change] = {
    **TENSORS,
    "mixture of another shape": tensor("mixture_means", lambda value: value[:, :2]),
    "mixture of other clusters": tensor("mixture_weights", lambda value: value[:1]),
    "mixture without clusters": tensor("mixture_weights", lambda value: value[:0]),
    "mixture with NaN": tensor("mixture_means", fill(torch.nan)),
    "mixture with a negative weight": tensor("mixture_weights", fill(-1.0)),
    "mixture that is no distribution": tensor("mixture_covariances", lambda value: -value),
    "mixture removed": tensor("mixture_means", lambda value: None),
    "clusters of another size": tensor("cluster_centers", lambda value: value[:, :1]),
    "clusters removed": tensor("cluster_centers", lambda value: None),
    "clusters with NaN": tensor("cluster_centers", fill(torch.nan)),
    "format version 1": put("format_version", value=1),
    "format version 999": put("format_version", value=999),
    "format version as text": put("format_version", value="2"),
    "no format version": drop("format_version"),
    "no recipe": drop("recipe"),
    "recipe as text": put("recipe", value="ae"),
    "unknown family": put("recipe", "family", value="../../os"),
    "family of a module": put("recipe", value={"family": "system", "module": "os"}),
    "endless passes": put("recipe", "passes", value=[1, 10**9]),
    "endless refinements": put("recipe", "refinements", value=10**6),
    "endless starts": put("recipe", "starts", value=10**9),
    "huge content code": put("recipe", "n_content", value=10**9),
    "huge network": put("recipe", "net", "encoder", value=[10**9]),
    "long network": put("recipe", "net", "encoder", value=[8] * 10**5),
    "endless chain": put(
        "recipe", "warp", value={"family": "chain", "links": [{"family": "affine"}] * 10**4}
    ),
    "deep recipe": put("recipe", "net", value=json.loads("[" * 500 + "]" * 500)),
    "negative rate": put("recipe", "optimiser", "lr", value=-1.0),
    "rate NaN": put("recipe", "optimiser", "lr", value=float("nan")),
    "shape of another size": put("shape", value=[1, 12, 12]),
    "huge shape": put("shape", value=[1, 10**9, 10**9]),
    "shape without pixels": put("shape", value=[1, 0, 6]),
    "negative shape": put("shape", value=[1, -6, -6]),
    "shape as text": put("shape", value="166"),
    "no shape": drop("shape"),
    "unknown domain": put("domain", value="../image"),
    "no settings": drop("settings"),
    "unknown setting": put("settings", "shell", value="rm"),
    "setting out of range": put("settings", "n_clusters", value=-1),
    "seed of a foreign generator": put(
        "settings", "random_state", value={"bit_generator": "__loader__", "values": {}}
    ),
    "no data": drop("data"),
    "factor 0": put("data", "factor", value=0.0),
    "offset NaN": put("data", "offset", value=float("nan")),
    "offset as text": put("data", "offset", value="0"),
    "other number of features": put("n_features_in", value=10**12),
    "selection as text": put("selection", value="smooth"),
    "selection without measurements": put("selection", value={"choice": "smooth"}),
}
"""Changes of a model folder."""

CHECKPOINTS: Mapping[str, Change] = {
    **TENSORS,
    "states removed": lambda record, tensors: [
        tensors.pop(name) for name in list(tensors) if name.startswith("optimiser")
    ],
    "state removed": tensor("optimiser0.0.exp_avg", lambda value: None),
    "state with NaN": tensor("optimiser0.0.exp_avg", fill(torch.nan)),
    "state of another shape": tensor("optimiser0.0.exp_avg", lambda value: value[:1]),
    "state of no parameter": add("optimiser0.999.exp_avg", torch.ones(1)),
    "state without a step": tensor("optimiser0.0.step", lambda value: None),
    "state with a step of -1": tensor("optimiser0.0.step", fill(-1.0)),
    "state with a step of many numbers": tensor("optimiser0.0.step", lambda value: torch.ones(3)),
    "step 999": put("step", value=999),
    "step 0": put("step", value=0),
    "step -1": put("step", value=-1),
    "step as text": put("step", value="two"),
    "other number of steps": put("steps", value=10**9),
    "other seed": put("seed", value=1),
    "format version 2": put("format_version", value=2),
    "format version 999": put("format_version", value=999),
    "no format version": drop("format_version"),
    "no history": drop("history"),
    "history of other steps": put("history", "steps", value=1),
    "history with text": put("history", "rows", value=[{"step": "x"}]),
    "history with other fields": put("history", "shell", value="rm"),
    "state of a gradient scaler": put("scaler", value={"scale": 1e30}),
    "no facts": put("facts", value={}),
    "facts of other data": put("facts", "data", "samples", value="0" * 32),
    "facts of another version": put("facts", "unwarp", value="0.0.1"),
}
"""Changes of a checkpoint."""


def rewrite_model(folder: Path, change: Change) -> None:
    """Change a model folder, and make its checksums again."""
    config, tensors = json.loads((folder / "config.json").read_text()), read_tensors(folder / W)[1]
    change(config, tensors)
    text = json.dumps(config)
    sums = {"config.json": checksum(json.loads(text))}
    sums |= {name: checksum(value) for name, value in tensors.items()}
    (folder / "config.json").write_text(text)
    replace(folder / W, encode_tensors(tensors, {"checksums": json.dumps(sums)}))


def rewrite_checkpoint(path: Path, change: Change) -> None:
    """Change a checkpoint, and make its checksums again."""
    metadata, tensors = read_tensors(path)
    record = json.loads(metadata["state"])
    change(record, tensors)
    text = json.dumps(record)
    sums = {RECORD: checksum(text)}
    sums |= {f"tensor.{name}": checksum(value) for name, value in tensors.items()}
    replace(path, encode_tensors(tensors, {"state": text, "checksums": json.dumps(sums)}))


def read_tensors(path: Path) -> tuple[dict[str, str], Tensors]:
    """The metadata and the tensors of a safetensors file, as copies."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        return file.metadata(), tensors


def replace(path: Path, content: bytes) -> None:
    """Write a new file, since the earlier one may still be mapped to memory."""
    path.unlink()
    path.write_bytes(content)


class Code:
    """An object whose pickle runs a command when it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch pickle-has-run",)


def _bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _link(path: Path, target: str) -> None:
    path.symlink_to(target)


def _header(length: int) -> bytes:
    return length.to_bytes(8, "little") + b"{" * 100


FILES: Mapping[str, Callable[[Path], object]] = {
    "no file": lambda path: None,
    "empty file": partial(_bytes, content=b""),
    "zeros": partial(_bytes, content=bytes(4096)),
    "a pickle": lambda path: path.write_bytes(pickle.dumps(Code())),
    "a pickle of torch": lambda path: torch.save({"a": torch.ones(2)}, path),
    "deep JSON": partial(_bytes, content=b"[" * DEEP + b"]" * DEEP),
    "deep JSON, open": partial(_bytes, content=b'{"a":' * DEEP),
    "a long number": partial(_bytes, content=b"1" * DEEP),
    "a list": partial(_bytes, content=b"[1]"),
    "not UTF-8": partial(_bytes, content=b'{"a": "\xff"}'),
    "a header of 1 TB": partial(_bytes, content=_header(1 << 40)),
    "a header of 100 MB": partial(_bytes, content=_header(100_000_000)),
    "a deep header": partial(_bytes, content=(2 * DEEP).to_bytes(8, "little") + b"[" * 2 * DEEP),
    "a folder": lambda path: path.mkdir(),
    "a pipe": lambda path: os.mkfifo(path),
    "a link to a device": partial(_link, target="/dev/zero"),
    "a link to a secret": partial(_link, target="/etc/passwd"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link out of the folder": partial(_link, target="../../../../../../etc/hostname"),
}
"""What may lie in the place of a file."""

BOMB = "".join(f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in pairwise("abcdefghi"))

SETTINGS: Mapping[str, str] = {
    "alias bomb": f"a: &a [x, x, x, x, x, x, x, x, x]\n{BOMB}",
    "alias of itself": "net: &a [*a]\n",
    "deep YAML": "[" * 5000,
    "deep YAML, closed": "net: " + "[" * 20_000 + "]" * 20_000,
    "code": "net: !!python/object/apply:os.system ['touch yaml-has-run']\n",
    "endless passes": "passes: [1, 1000000000]\n",
    "huge network": "net: {kind: mlp, encoder: [1000000000], decoder: [8]}\n",
    "huge content code": "n_content: 1000000000\n",
    "long file": "n_content: 8 # " + "x" * 2_000_000,
    "path with ..": "warp: ../../affine\n",
}
"""Configuration files."""

RECORDS: Mapping[str, Change] = {
    "endless passes": put("request", "overrides", value={"passes": [1, 10**9]}),
    "huge content code": put("request", "n_content", value=10**9),
    "recipe of a module": put("request", "recipe", value={"family": "system", "module": "os"}),
    "unknown setting": put("settings", "shell", value="rm"),
    "seed out of range": put("settings", "random_state", value=-1),
    "source with ..": put("source", value="../../../../../../etc/passwd"),
    "source that is a device": put("source", value="/dev/zero"),
    "no source": drop("source"),
    "other field": put("shell", value="rm"),
}
"""Changes of the record of a run."""


def hostile_attacks() -> Iterator[Attack]:
    """All hostile folders; they lie in the current folder, which must be temporary."""
    model = Unwarper(max_steps=1, **OPTIONS).fit(X)
    model.save("hostile_model")
    fit_with(Path("hostile.checkpoint"))
    record = {"source": str(Path("x.npy").absolute()), "request": {"warp": "affine"}}
    record |= {"settings": {"max_steps": 1, "device": "cpu", "domain": "image"}}
    np.save("x.npy", X)
    for name, change in MODELS.items():
        yield Attack("model", f"model: {name}", partial(load_changed, change))
    for file in ("config.json", W):
        for name, make in FILES.items():
            act = partial(load_file, file, make)
            yield Attack("model", f"model: {file} is {name}", act)
    for name, change in CHECKPOINTS.items():
        yield Attack("checkpoint", f"checkpoint: {name}", partial(resume_changed, change))
    for name, make in FILES.items():
        if name != "no file":  # then the run starts at its first step, as it must
            yield Attack("checkpoint", f"checkpoint: {name}", partial(resume_file, make))
    for name, text in SETTINGS.items():
        yield Attack("configuration", f"configuration: {name}", partial(configure, text))
    for name, change in RECORDS.items():
        yield Attack("run", f"run.json: {name}", partial(run_changed, record, change))
    for name, make in FILES.items():
        yield Attack("run", f"run.json: {name}", partial(run_file, make))


def fit_with(path: Path) -> None:
    """Train with a checkpoint, which is continued if it exists."""
    model = Unwarper(max_steps=STEPS, **OPTIONS)
    model.fit(X, callbacks=[Checkpoint(path, interval=STEPS - 1)])


def fresh(source: str, name: str) -> Path:
    """A copy of a file or folder, in the place of the copy before."""
    target = Path("hostile") / name
    shutil.rmtree("hostile", ignore_errors=True)
    target.parent.mkdir()
    if Path(source).is_dir():
        shutil.copytree(source, target)
    elif Path(source).is_file():
        shutil.copy(source, target)
    return target


def use(folder: Path) -> None:
    """Load a model and use it, since a good one may be loaded late."""
    model = Unwarper.load(folder)
    model.transform(X)
    model.align(X)
    model.sample(2)


def load_changed(change: Change) -> None:
    """Load a changed model."""
    folder = fresh("hostile_model", "model")
    rewrite_model(folder, change)
    use(folder)


def load_file(name: str, make: Callable[[Path], object]) -> None:
    """Load a model with something else in the place of a file."""
    folder = fresh("hostile_model", "model")
    (folder / name).unlink()
    make(folder / name)
    use(folder)


def resume_changed(change: Change) -> None:
    """Continue a changed checkpoint."""
    path = fresh("hostile.checkpoint", "run.checkpoint")
    rewrite_checkpoint(path, change)
    fit_with(path)


def resume_file(make: Callable[[Path], object]) -> None:
    """Continue from something else than a checkpoint."""
    path = fresh("no such file", "run.checkpoint")
    make(path)
    fit_with(path)


def configure(text: str) -> None:
    """Build the model of a configuration file."""
    path = fresh("no such file", "config.yaml")
    path.write_text(text)
    recipe = apply_overrides(AE(), parse_overrides(path, []))
    recipe.build((1, 6, 6))


def run_changed(record: Json, change: Change) -> None:
    """Continue a changed run."""
    record = json.loads(json.dumps(record))
    change(record, {})
    run_file(lambda path: path.write_text(json.dumps(record)))


def run_file(make: Callable[[Path], object]) -> None:
    """Continue a run with another record."""
    from unwarp.app.run import execute

    path = fresh("no such file", "run.json")
    make(path)
    load_job(path.parent)
    execute(path.parent, lambda line: None)
