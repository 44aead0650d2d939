"""A run folder: what was asked, both models, their scores, the tables and the report; it resumes where it stopped."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from platform import python_version
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.base import clone

from unwarp import datasets, metrics, models, warps
from unwarp._version import __version__
from unwarp.checkpoints import Checkpoint, describe, restore
from unwarp.datasets import Dataset
from unwarp.estimators import Unwarper
from unwarp.evaluation import Embedding, Report, embed, evaluate, known, moved, reference_view, score
from unwarp.models import AE, Recipe
from unwarp.progress import Choice
from unwarp.readers import as_samples, read
from unwarp.recipes import DIGITS
from unwarp.training import Callback, History
from unwarp.types import CheckpointError, ConfigError, DataError, Kind

Array = NDArray[Any]
PIXELS = ("moment_baselines",)
Say = Callable[[str], None]


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
        batch_size: Samples a step.
    """

    source: str
    recipe: dict[str, Any] | None = None
    warp: str = "auto"
    kind: Kind = "auto"
    steps: int | None = None
    seconds: float | None = None
    seed: int = 0
    device: str = "auto"
    batch_size: int = 64


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
        return Job(**json.loads(path.read_text()))
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} is not a run folder: {path.name} is missing; start one with 'unwarp fit'"
        ) from None
    except (json.JSONDecodeError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); start the run again in another folder") from error


def start(job: Job, folder: Path) -> None:
    """Make the folder of a new job.

    Raises:
        ConfigError: The folder holds a run of another job.
    """
    if (folder / "run.json").is_file() and load(folder) != job:
        raise ConfigError(
            f"{folder} holds a run with other settings; continue it with 'unwarp resume {folder}', or use --out"
        )
    if folder.exists() and not (folder / "run.json").is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} exists and is not a run folder; use --out to choose another")
    folder.mkdir(parents=True, exist_ok=True)
    put(folder / "run.json", json.dumps(asdict(job), indent=1))


def put(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content.encode() if isinstance(content, str) else content)
    partial.replace(path)


def data(job: Job) -> tuple[Dataset, Dataset, Dataset]:
    """Training, held-out and shown data of a job: the built-in parts, or a tenth of the user's samples held out."""
    if job.source in datasets.names():
        test = datasets.load(job.source, "test")
        return datasets.load(job.source, "train"), test, test
    found = read(job.source)
    samples, _ = as_samples(found.x, found.kind if job.kind == "auto" else job.kind)
    if len(samples) < 10:
        raise DataError(f"{job.source} holds {len(samples)} sample(s); a run needs at least 10, better hundreds")
    rows = np.random.default_rng(job.seed).permutation(len(samples))
    cut = max(2, len(rows) // 10)
    ids = np.asarray(found.names) if found.names else np.arange(len(samples))
    whole = Dataset(
        torch.from_numpy(np.require(samples, requirements="W")), Path(job.source).name, labels=found.labels, ids=ids
    )
    return whole.subset(np.sort(rows[cut:])), whole.subset(np.sort(rows[:cut])), whole


def unwarper(job: Job, training: Dataset) -> Unwarper:
    """The estimator that a job asks for, before training."""
    recipe: Recipe | None = restore(job.recipe) if job.recipe else None
    if recipe is None and job.source == "affine-mnist":
        recipe = DIGITS
    return Unwarper(
        job.warp,
        recipe,
        kind="image" if training.x.ndim == 4 else "series",
        max_steps=job.steps,
        max_seconds=job.seconds,
        batch_size=job.batch_size,
        random_state=job.seed,
        device=job.device,
    )


def unstructured(structured: Unwarper) -> Unwarper:
    """The same job without a warp, at as many latents in total."""
    recipe = structured.recipe_.unstructured()
    plain: Unwarper = clone(structured).set_params(warp=recipe.warp, recipe=recipe, n_content=None)
    return plain


def fitted(model: Unwarper, training: Dataset, folder: Path, name: str, looking_on: tuple[Callback, ...]) -> Unwarper:
    """Train `model`, or take it from `folder/name` where that was done; a stopped training goes on."""
    place, record = folder / name, folder / f"{name}.history.json"
    if place.is_dir() and record.is_file():
        done = Unwarper.load(place)
        done.history_ = History(**json.loads(record.read_text()))
        return done
    checkpoint = Checkpoint(folder / f"{name}.checkpoint")
    model.fit(training, callbacks=(checkpoint, *looking_on))
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
    facts = known(held, found) | moved(model.model_, held.x)
    facts |= {f"train_{k}": v for k, v in known(seen, embed(model.model_, seen.x)).items()}
    wanted = tuple(name for name in metrics.scores() if name not in PIXELS)
    return Trial(model, found, score(facts, wanted))


def execute(
    folder: Path, say: Say = print, looking_on: Callable[[str], tuple[Callback, ...]] = lambda name: ()
) -> Outcome:
    """Do what `folder/run.json` asks for, from wherever it stands; writes models, scores, tables, figures, report."""
    job = load(folder)
    training, test, shown = data(job)
    say(f"{training.name}: {len(training):,} samples to learn from, {len(test):,} held out, shape {training.shape}")
    told = Choice(say)
    structured = fitted(unwarper(job, training), training, folder, "model", (told, *looking_on("structured")))
    identity = fitted(unstructured(structured), training, folder, "identity", (told, *looking_on("identity")))
    say("scoring both models on the held-out samples")
    trials = [trial(model, training, test) for model in (structured, identity)]
    outcome = Outcome(job, training, test, trials[0], trials[1], _baselines(trials[0], training, test))
    write_scores(outcome, folder)
    write_tables(structured, shown, folder)
    return outcome


def _baselines(first: Trial, training: Dataset, test: Dataset) -> Report:
    """What pixels alone give, where there are labels and pictures."""
    if test.labels is None or test.x.ndim != 4:
        return Report({}, {"moment_baselines": "labels of pictures"})
    seen = reference_view(training)
    facts = {"x": test.x.numpy(), "labels": test.labels, "train_x": seen.x.numpy(), "train_labels": seen.labels}
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


def _table(model: Unwarper, samples: Array, head: dict[str, Array]) -> dict[str, pd.DataFrame]:
    """The tables of a run: deformations in human units, and content codes with clusters."""
    codes = pd.DataFrame(model.transform(samples), columns=model.get_feature_names_out())
    tables = {
        "deformations": model.transform_params(samples),
        "embedding": codes.assign(cluster=model.predict(samples)),
    }
    return {name: pd.DataFrame(head).join(table) for name, table in tables.items()}


def write_tables(model: Unwarper, shown: Dataset, folder: Path) -> None:
    """`aligned.npz`, `deformations.csv` and `embedding.csv` of the samples `shown`."""
    samples = shown.x.numpy()
    head = {"sample": np.arange(len(samples)) if shown.ids is None else shown.ids}
    head |= {} if shown.labels is None else {"label": shown.labels}
    for name, table in _table(model, samples, head).items():
        put(folder / f"{name}.csv", table.to_csv(index=False, float_format="%.6g"))
    put(folder / "aligned.npz", _packed(model, samples, head["sample"]))


def _packed(model: Unwarper, samples: Array, ids: Array) -> bytes:
    out = io.BytesIO()
    table = model.transform_params(samples)
    np.savez_compressed(
        out,
        aligned=model.align(samples),
        template=model.template(samples),
        sample=ids,
        deformation=table.to_numpy(),
        deformation_columns=np.array(list(table)),
    )
    return out.getvalue()


def found(source: str) -> str:
    """What a source holds, in a line for people."""
    if source in datasets.names():
        return f"{source}: built-in data set"
    return f"{source}: {read(source).found}"


def _samples(source: str) -> tuple[Array, Array, Array | None]:
    """Samples, their names and their labels, of a file, a folder, or a built-in data set's held-out part."""
    if source in datasets.names():
        data = datasets.load(source, "test")
        return data.x.numpy(), np.arange(len(data)), data.labels
    given = read(source)
    return given.x, np.asarray(given.names) if given.names else np.arange(len(given.x)), given.labels


def write_aligned(folder: Path, source: str, out: Path, device: str = "auto") -> int:
    """Aligned samples and templates of `source` by the model in `folder`, into an `.npz`; gives their number."""
    samples, names, _ = _samples(source)
    put(out, _packed(Unwarper.load(folder).set_params(device=device), samples, names))
    return len(samples)


def write_embedding(folder: Path, source: str, out: Path, device: str = "auto") -> int:
    """Codes, clusters and deformations of `source` by the model in `folder`, into a `.csv`; gives their number."""
    samples, names, _ = _samples(source)
    tables = _table(Unwarper.load(folder).set_params(device=device), samples, {"sample": names})
    joined = tables["embedding"].join(tables["deformations"].drop(columns="sample"))
    put(out, joined.to_csv(index=False, float_format="%.6g"))
    return len(samples)


def judge(folder: Path, source: str, device: str = "auto", draws: int = 0) -> Report:
    """Score the model in `folder` on `source`, with `draws` importance samples for log p(x)."""
    model = Unwarper.load(folder)
    if source in datasets.names():
        test, seen = datasets.load(source, "test"), reference_view(datasets.load(source, "train"))
        test, seen = (replace(d, x=model.prepare(d.x.numpy())) for d in (test, seen))
        return evaluate(model.model_, test, seen, device=device, draws=draws)
    samples, _, labels = _samples(source)
    held = Dataset(model.prepare(samples), source, labels=labels)
    return evaluate(model.model_, held, device=device, draws=draws)


def describe_model(folder: Path) -> dict[str, Any]:
    """What a model folder holds, for people."""
    model = Unwarper.load(folder)
    return {
        "model": str(folder),
        "shape": model.model_.shape,
        "kind": model.kind_,
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
