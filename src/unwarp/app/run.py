"""A run folder: both models of a job and what they say; a stopped run goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from sklearn.base import clone

from unwarp.app.exports import write_tables
from unwarp.app.job import load_job, read_record
from unwarp.app.outcome import Outcome, score_outcome, write_scores
from unwarp.app.parts import Parts, open_parts
from unwarp.data.source import Source
from unwarp.estimators.unwarper import Unwarper
from unwarp.storage import write_file
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.progress import Choice
from unwarp.training.state import History

Say = Callable[[str], None]
CallbacksOf = Callable[[str], tuple[Callback, ...]]


def execute(
    folder: Path,
    say: Say = print,
    callbacks_of: CallbacksOf = lambda name: (),
    parts: Parts | None = None,
) -> Outcome:
    """Do what `folder/run.json` asks for, from wherever it stands.

    Args:
        folder: The run folder; models, scores, tables and figures are written there.
        say: Takes a line for people.
        callbacks_of: Code that looks on at the training of a model, `warped` or `baseline`.
        parts: The samples, where they are open already.
    """
    job = load_job(folder)
    estimator = job.make_estimator()
    parts = parts or open_parts(job.source, estimator)
    say(
        f"{parts.listed.name}: {len(parts.training):,} samples to learn from, {len(parts.test):,} held out"
    )
    news = Choice(say, job.max_seconds)

    def fit(model: Unwarper, name: str, place: str) -> Unwarper:
        return fit_or_load(model, parts.training, folder, place, (news, *callbacks_of(name)))

    warped = fit(estimator, "warped", "model")
    baseline = fit(without_warp(warped), "baseline", "baseline")
    say("scoring both models on the held-out samples")
    outcome = score_outcome(job, parts, warped, baseline)
    write_scores(outcome, folder)
    write_tables(warped, parts.listed, folder)
    return outcome


def without_warp(warped: Unwarper) -> Unwarper:
    """The same job without a warp, at as many latents in total."""
    recipe = warped.recipe_.without_warp()
    plain: Unwarper = clone(warped)
    plain.set_params(warp=recipe.warp, recipe=recipe, n_content=None, overrides=None)
    return plain


def fit_or_load(
    model: Unwarper, source: Source, folder: Path, name: str, callbacks: tuple[Callback, ...]
) -> Unwarper:
    """A trained model, from `folder/name` where that was done; a stopped training goes on.

    Args:
        model: The estimator before training.
        source: Samples to learn from.
        folder: The run folder.
        name: Name of the model's folder in it.
        callbacks: Code that looks on.
    """
    place, record = folder / name, folder / f"{name}.history.json"
    if place.is_dir() and record.is_file():
        trained = Unwarper.load(place)
        trained.history_ = read_record(record, History)
        return trained
    checkpoint = Checkpoint(folder / f"{name}.checkpoint")
    model.fit(source, callbacks=(checkpoint, *callbacks))
    write_file(record, json.dumps(asdict(model.history_)))
    model.save(place)
    checkpoint.discard()
    return model
