"""A run folder: what was asked, both models and their scores; it resumes where it stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from platform import python_version
from typing import Any, TypeVar

import numpy as np
import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from sklearn.base import clone
from sklearn.metrics import pairwise_distances_argmin

from unwarp import datasets, metrics, models, warps
from unwarp._version import __version__
from unwarp.checkpoints import Checkpoint, describe, restore
from unwarp.datasets import Dataset
from unwarp.devices import Precision
from unwarp.estimators import Unwarper
from unwarp.evaluation import Embedding, Report, embed, evaluate, known, moved, reference_view, score, undone
from unwarp.metrics.alignment import nearest, separation, variance_left
from unwarp.models import AE, Recipe
from unwarp.progress import Choice
from unwarp.readers import read
from unwarp.readers.recordings import Clock, Filling, as_recorded
from unwarp.readers.scaling import Scale
from unwarp.recipes import kind_of
from unwarp.results import make_folder, put, samples_of, write_tables
from unwarp.schema import kind_said
from unwarp.settings import OWN
from unwarp.training import Callback, History
from unwarp.types import CheckpointError, ConfigError, DataError, Kind
from unwarp.warps import filled

PIXELS = ("moment_baselines",)
BATCH = {"image": 64, "series": 20}
Say = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """What a run was asked for; kept as `run.json`.

    Attributes:
        source: A file, a folder or the name of a built-in data set.
        recipe: The recipe as `checkpoints.describe` writes it; None for one that suits the data.
        warp: Name of a warp that replaces the recipe's, or `auto`.
        kind: `auto`, `image` or `series`.
        steps: Training steps; None for a number that suits the data.
        seconds: Bound on each training.
        seed: Seed of everything random.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `no`, `bf16` or `fp16`.
        batch_size: Samples a step; None for 64 pictures or 20 series.
        missing: What a missing value of a series becomes, as for `Unwarper`.
        scale: How numbers are scaled, as for `Unwarper`.
        rate: Samples a second of series; None where time is counted in samples.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")
    source: str
    recipe: dict[str, Any] | None = None
    warp: str = "auto"
    kind: Kind = "auto"
    steps: int | None = None
    seconds: float | None = None
    seed: int = 0
    device: str = "auto"
    precision: Precision = "no"
    batch_size: int | None = None
    missing: Filling = "error"
    scale: Scale = "auto"
    rate: float | None = None


@dataclass(frozen=True)
class Trial:
    """One trained model and what it says of the held-out samples."""

    unwarper: Unwarper
    embedding: Embedding
    report: Report

    @property
    def images_per_second(self) -> float:
        """Pace of training, all views counted."""
        views = 2 if isinstance(self.unwarper.recipe_, AE) and self.unwarper.recipe_.views else 1
        return views * self.unwarper.history_.samples_per_second


@dataclass(frozen=True)
class Outcome:
    """Everything a report shows."""

    job: Job
    training: Dataset
    test: Dataset
    structured: Trial
    identity: Trial
    baselines: Report

    @property
    def trials(self) -> dict[str, Trial]:
        """Both models by name."""
        return {"structured": self.structured, "identity": self.identity}


def load(folder: Path) -> Job:
    """The job of a run folder.

    Raises:
        CheckpointError: No run there, or a damaged `run.json`.
    """
    path = folder / "run.json"
    try:
        return _read(path, Job)
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} is not a run folder: {path.name} is missing; start one with 'unwarp fit'"
        ) from None


def _read(path: Path, kind: type[T]) -> T:
    """A record of type `kind` from a JSON file, checked field by field."""
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CheckpointError(
            f"{path} is damaged ({f'{where}: ' if where else ''}{first['msg']}); start the run again in another folder"
        ) from error


def start(job: Job, folder: Path) -> None:
    """Make the folder of a new job.

    Raises:
        ConfigError: The folder holds a run of another job that has begun, or something else, or cannot be made.
    """
    kept = folder / "run.json"
    begun = folder.is_dir() and any(path != kept for path in folder.iterdir())
    if begun and kept.is_file() and load(folder) != job:
        raise ConfigError(
            f"{folder} holds a run with other settings; continue it with 'unwarp resume {folder}', or use --out"
        )
    if begun and not kept.is_file():
        raise ConfigError(f"{folder} exists and is not a run folder; use --out to choose another")
    make_folder(folder)
    put(kept, json.dumps(asdict(job), indent=1))


def data(job: Job) -> tuple[Dataset, Dataset, Dataset, Clock]:
    """Training, held-out and shown data of a job, and their time: the built-in parts, or a tenth of the user's held out.

    Series of unequal lengths, or with times, come at even steps.
    """
    if job.source in datasets.names():
        test = datasets.load(job.source, "test")
        return datasets.load(job.source, "train"), test, test, Clock(job.rate)
    found = read(job.source)
    leaning = kind_of(job.warp, restore(job.recipe) if job.recipe else None)
    came, _ = as_recorded(found.x, found.times, kind_said(found.x, job.kind, found.kind, leaning))
    length, time = came.clock(job.rate)
    samples = came.even(length, job.missing)
    if len(samples) < 10:
        raise DataError(f"{job.source} holds {len(samples)} sample(s); a run needs at least 10, better hundreds")
    rows = np.random.default_rng(job.seed).permutation(len(samples))
    cut = max(2, len(rows) // 10)
    ids = np.asarray(found.names) if found.names else np.arange(len(samples))
    whole = Dataset(
        torch.from_numpy(np.require(samples, requirements="W")), Path(job.source).name, labels=found.labels, ids=ids
    )
    return whole.subset(np.sort(rows[cut:])), whole.subset(np.sort(rows[:cut])), whole, time


def unwarper(job: Job, training: Dataset, time: Clock) -> Unwarper:
    """The estimator that a job asks for, before training."""
    recipe: Recipe | None = restore(job.recipe) if job.recipe else None
    kind: Kind = "image" if training.x.ndim == 4 else "series"
    return Unwarper(
        job.warp,
        recipe or OWN.get(job.source),
        kind=kind,
        n_clusters=_clusters(training),
        max_steps=job.steps,
        max_seconds=job.seconds,
        batch_size=job.batch_size or BATCH[kind],
        random_state=job.seed,
        device=job.device,
        precision=job.precision,
        missing=job.missing,
        scale=job.scale,
        rate=time.rate if kind == "series" else None,
    )


def _clusters(training: Dataset) -> int:
    """Clusters to look for: ten of pictures; of series as many as there are classes, where that is known."""
    if training.x.ndim == 4:
        return 10
    if training.labels is None:
        return int(np.clip(len(training) // 10, 2, 10))
    return max(2, len(np.unique(training.labels)))


def unstructured(structured: Unwarper) -> Unwarper:
    """The same job without a warp, at as many latents in total."""
    recipe = structured.recipe_.unstructured()
    plain: Unwarper = clone(structured).set_params(warp=recipe.warp, recipe=recipe, n_content=None)
    return plain


def fitted(
    model: Unwarper, training: Dataset, folder: Path, name: str, looking_on: tuple[Callback, ...], time: Clock
) -> Unwarper:
    """Train `model`, or take it from `folder/name` where that was done; a stopped training goes on."""
    place, record = folder / name, folder / f"{name}.history.json"
    if place.is_dir() and record.is_file():
        done = Unwarper.load(place)
        done.history_ = _read(record, History)
        return done
    checkpoint = Checkpoint(folder / f"{name}.checkpoint")
    model.fit(training, callbacks=(checkpoint, *looking_on))
    if time.any_length:
        model.schema_ = replace(model.schema_, clock=time)
    put(record, json.dumps(asdict(model.history_)))
    model.save(place)
    checkpoint.discard()
    return model


def trial(model: Unwarper, training: Dataset, test: Dataset) -> Trial:
    """Score a trained model on held-out samples."""
    held = replace(test, x=model.prepare(test.x.numpy()))
    seen = reference_view(
        replace(training, x=model.prepare(training.x.numpy()) if training.draw is None else training.x)
    )
    found = embed(model.model_, held.x)
    facts = known(held, found) | (moved(model.model_, held.x) if held.x.ndim == 4 else {})
    facts |= {f"train_{k}": v for k, v in known(seen, embed(model.model_, seen.x)).items()}
    wanted = tuple(name for name in metrics.scores() if name not in PIXELS)
    if held.x.ndim == 4:
        return Trial(model, found, score(facts, wanted))
    bounded = dict(zip(model.model_.chart.factors, found.theta.T, strict=True))
    report = score(facts | ({"table": bounded} if bounded else {}), wanted)
    return Trial(model, found, replace(report, scores={**report.scores, **_alignment(model, facts)}))


def _alignment(model: Unwarper, facts: Mapping[str, Any]) -> dict[str, float]:
    """What alignment does for series: how well codes and aligned series tell classes apart, and what is left of variance."""
    found: dict[str, float] = {}
    known = "labels" in facts and "train_labels" in facts
    if known:
        four = (facts[name] for name in ("train_codes", "train_labels", "codes", "labels"))
        found = {f"codes_{name}": value for name, value in nearest(*four).items()}
    if "map" not in facts:
        return found
    padding = model.model_.padding
    seen, held = (undone(torch.from_numpy(facts[f"{p}x"]), facts[f"{p}map"], padding).numpy() for p in ("train_", ""))
    if known:
        scores = separation(seen, facts["train_labels"], held, facts["labels"])
        found |= {f"aligned_{name}": value for name, value in scores.items()}
    left = variance_left(facts["x"], held, pairwise_distances_argmin(facts["codes"], model.cluster_centers_))
    return found | ({"variance_left": left} if np.isfinite(left) else {})


def execute(
    folder: Path, say: Say = print, looking_on: Callable[[str], tuple[Callback, ...]] = lambda name: ()
) -> Outcome:
    """Do what `folder/run.json` asks for, from wherever it stands; writes models, scores, tables, figures, report."""
    job = load(folder)
    training, test, shown, time = data(job)
    say(f"{training.name}: {len(training):,} samples to learn from, {len(test):,} held out, shape {training.shape}")
    told = Choice(say, job.seconds)
    structured = fitted(
        unwarper(job, training, time), training, folder, "model", (told, *looking_on("structured")), time
    )
    identity = fitted(unstructured(structured), training, folder, "identity", (told, *looking_on("identity")), time)
    say("scoring both models on the held-out samples")
    trials = [trial(model, training, test) for model in (structured, identity)]
    outcome = Outcome(job, training, test, trials[0], trials[1], _baselines(trials[0], training, test))
    write_scores(outcome, folder)
    write_tables(structured, shown, folder)
    return outcome


def _baselines(first: Trial, training: Dataset, test: Dataset) -> Report:
    """What pixels, or raw series, give alone, where there are labels."""
    if test.labels is None or training.labels is None or len(np.unique(test.labels)) < 2:
        return Report({}, {"baselines": "labels"})
    if test.x.ndim == 3:
        seen, held = (filled(first.unwarper.prepare(part.x.numpy())).numpy() for part in (training, test))
        scores = separation(seen, training.labels, held, test.labels)
        return Report({f"raw_{name}": value for name, value in scores.items()})
    view = reference_view(training)
    facts = {"x": test.x.numpy(), "labels": test.labels, "train_x": view.x.numpy(), "train_labels": view.labels}
    return score(facts, PIXELS)


def write_scores(outcome: Outcome, folder: Path) -> None:
    """`metrics.json`: every score of every model, what was missing, and what it was measured with."""
    record: dict[str, Any] = {"job": asdict(outcome.job), "versions": versions(), "held_out": len(outcome.test)}
    for name, one in outcome.trials.items():
        record[name] = {
            "scores": dict(one.report.scores),
            "missing": dict(one.report.missing),
            "training_seconds": one.unwarper.history_.seconds,
            "steps": one.unwarper.history_.steps,
            "images_per_second": one.images_per_second,
            "embedded_per_second": one.embedding.samples_per_second,
            "recipe": describe(one.unwarper.recipe_),
        }
    record["baselines"] = dict(outcome.baselines.scores)
    put(folder / "metrics.json", json.dumps(record, indent=1))


def versions() -> dict[str, str]:
    """Versions that a result depends on."""
    return {"unwarp": __version__, "torch": torch.__version__, "numpy": np.__version__, "python": python_version()}


def found(source: str) -> str:
    """What a source holds, in a line for people."""
    if source in datasets.names():
        return f"{source}: built-in data set"
    return f"{source}: {read(source).found}"


def judge(folder: Path, source: str, device: str = "auto", draws: int = 0) -> Report:
    """Score the model in `folder` on `source`, with `draws` importance samples for log p(x)."""
    model = Unwarper.load(folder)
    if source in datasets.names():
        test, seen = datasets.load(source, "test"), reference_view(datasets.load(source, "train"))
        test, seen = (replace(d, x=model.prepare(d.x.numpy())) for d in (test, seen))
        return evaluate(model.model_, test, seen, device=device, draws=draws)
    samples, _, labels = samples_of(source)
    held = Dataset(model.prepare(samples), source, labels=labels)
    return evaluate(model.model_, held, device=device, draws=draws)


def describe_model(folder: Path) -> dict[str, Any]:
    """What a model folder holds, for people."""
    model = Unwarper.load(folder)
    return {
        "model": str(folder),
        "shape": model.model_.shape,
        "kind": model.schema_.kind,
        "family": model.recipe_.family,
        "warp": repr(model.recipe_.warp),
        "content": model.model_.n_content,
        "parameters": sum(p.numel() for p in model.model_.parameters()),
        "clusters": len(model.cluster_centers_),
    }


def inventory() -> dict[str, Any]:
    """Which warps, recipes, data sets and scores there are."""
    return {
        "unwarp": __version__,
        "warps": sorted(warps.families()),
        "recipes": sorted(models.families()),
        "data sets": list(datasets.names()),
        "scores": sorted(metrics.scores()),
    }
