"""A run folder: what was asked, both models and their scores; it resumes where it stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from sklearn.base import clone

from unwarp import datasets
from unwarp.app.exports import write_tables
from unwarp.app.job import Job, load_job, read_record
from unwarp.app.outcome import Outcome, _baselines, trial, write_scores
from unwarp.core import DomainName
from unwarp.data.dataset import Dataset
from unwarp.data.formats.files import read
from unwarp.data.opening import resolve_domain
from unwarp.data.recordings import Clock, parse_samples
from unwarp.errors import DataError
from unwarp.estimators.unwarper import Unwarper
from unwarp.models import Recipe
from unwarp.models.codec import restore
from unwarp.planning.defaults import kind_of
from unwarp.planning.presets import OWN
from unwarp.storage import write_file
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.progress import Choice
from unwarp.training.state import History

BATCH = {"image": 64, "series": 20}


Say = Callable[[str], None]


def data(job: Job) -> tuple[Dataset, Dataset, Dataset, Clock]:
    """Training, held-out and shown data of a job, and their time: the built-in parts, or a tenth of the user's held out.

    Series of unequal lengths, or with times, come at even steps.
    """
    if job.source in datasets.names():
        test = datasets.load(job.source, "test")
        return datasets.load(job.source, "train"), test, test, Clock(job.sampling_rate)
    found = read(job.source)
    leaning = kind_of(job.warp, restore(job.recipe) if job.recipe else None)
    came, _ = parse_samples(found.x, found.times, resolve_domain(found.x, job.domain, found.domain, leaning))
    length, time = came.clock(job.sampling_rate)
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
    domain: DomainName = "image" if training.x.ndim == 4 else "series"
    return Unwarper(
        job.warp,
        recipe or OWN.get(job.source) or datasets.preset(job.source),
        domain=domain,
        n_clusters=_clusters(training),
        max_steps=job.steps,
        max_seconds=job.seconds,
        batch_size=job.batch_size or BATCH[domain],
        random_state=job.seed,
        device=job.device,
        precision=job.precision,
        missing=job.missing,
        scale=job.scale,
        sampling_rate=time.sampling_rate if domain == "series" else None,
    )


def _clusters(training: Dataset) -> int:
    """Clusters to look for: ten of pictures; of series as many as there are classes, where that is known."""
    if training.x.ndim == 4:
        return 10
    if training.labels is None:
        return int(np.clip(len(training) // 10, 2, 10))
    return max(2, len(np.unique(training.labels)))


def without_warp(warped: Unwarper) -> Unwarper:
    """The same job without a warp, at as many latents in total."""
    recipe = warped.recipe_.without_warp()
    plain: Unwarper = clone(warped).set_params(warp=recipe.warp, recipe=recipe, n_content=None)
    return plain


def fitted(
    model: Unwarper, training: Dataset, folder: Path, name: str, looking_on: tuple[Callback, ...], time: Clock
) -> Unwarper:
    """Train `model`, or take it from `folder/name` where that was done; a stopped training goes on."""
    place, record = folder / name, folder / f"{name}.history.json"
    if place.is_dir() and record.is_file():
        done = Unwarper.load(place)
        done.history_ = read_record(record, History)
        return done
    checkpoint = Checkpoint(folder / f"{name}.checkpoint")
    model.fit(training, callbacks=(checkpoint, *looking_on))
    if time.any_length:
        model.schema_ = replace(model.schema_, clock=time)
    write_file(record, json.dumps(asdict(model.history_)))
    model.save(place)
    checkpoint.discard()
    return model


def execute(
    folder: Path, say: Say = print, looking_on: Callable[[str], tuple[Callback, ...]] = lambda name: ()
) -> Outcome:
    """Do what `folder/run.json` asks for, from wherever it stands; writes models, scores, tables, figures, report."""
    job = load_job(folder)
    training, test, shown, time = data(job)
    say(f"{training.name}: {len(training):,} samples to learn from, {len(test):,} held out, shape {training.shape}")
    told = Choice(say, job.seconds)
    warped = fitted(unwarper(job, training, time), training, folder, "model", (told, *looking_on("structured")), time)
    baseline = fitted(without_warp(warped), training, folder, "identity", (told, *looking_on("identity")), time)
    say("scoring both models on the held-out samples")
    trials = [trial(model, training, test) for model in (warped, baseline)]
    outcome = Outcome(job, training, test, trials[0], trials[1], _baselines(trials[0], training, test))
    write_scores(outcome, folder)
    write_tables(warped, shown, folder)
    return outcome
