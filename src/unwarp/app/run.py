"""Runs: training and scoring of both models of a job.

A run trains a model with a warp and a baseline without one on the same samples. An interrupted run
can be continued.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from sklearn.base import clone

from unwarp.app.exports import write_tables
from unwarp.app.history_files import HistoryFiles
from unwarp.app.job import Job, load_job, read_record
from unwarp.app.outcome import Outcome, score_outcome, write_scores
from unwarp.app.parts import Parts, open_parts
from unwarp.app.run_facts import check_run
from unwarp.checksums import checksum
from unwarp.data.source import Source
from unwarp.disk.files import clean_leftovers, read_plain
from unwarp.errors import CheckpointError
from unwarp.estimators.unwarper import Unwarper
from unwarp.launch import is_first_process
from unwarp.processes import connect_processes, run_once
from unwarp.storage.files import expand, write_file
from unwarp.storage.folders import clear_lock, hold_folder, recover_folder
from unwarp.training.callbacks import Callback
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.progress import Announcer
from unwarp.training.state import History

MessageHandler = Callable[[str], None]
"""Function that shows one line to people."""

CallbackFactory = Callable[[str], tuple[Callback, ...]]
"""Function from the name of a model, `warped` or `baseline`, to the callbacks of its training."""


def execute(
    folder: Path,
    on_message: MessageHandler = print,
    callbacks_for: CallbackFactory = lambda name: (),
    parts: Parts | None = None,
) -> Outcome:
    """Train and score both models of a run folder.

    Scores and tables are written to the folder. After an interruption, call the function again:
    models that are trained already are loaded, and an interrupted training continues from its
    checkpoint, with the same result as without the interruption.

    Args:
        folder: The run folder, with a `run.json`.
        on_message: Function that shows a line to people.
        callbacks_for: Function that makes the callbacks of a training, from the name of the model.
        parts: The samples of the job, if they are already read; None to read them.

    Returns:
        Both models with their scores.

    Raises:
        CheckpointError: The folder is no run folder, is damaged, was begun with other data or other
            settings, or another process runs it.
        DataError: The samples cannot be read or learned from.
    """
    folder = expand(folder)
    job = load_job(folder)
    with hold_folder(folder):
        clean_leftovers(folder)
        return _execute(job, folder, on_message, callbacks_for, parts)


def _execute(
    job: Job,
    folder: Path,
    on_message: MessageHandler,
    callbacks_for: CallbackFactory,
    parts: Parts | None,
) -> Outcome:
    """Train and score both models of a run folder that this process holds.

    Args:
        job: The job of the folder.
        folder: The run folder.
        on_message: Function that shows a line to people.
        callbacks_for: Function that makes the callbacks of a training, from the name of the model.
        parts: The samples of the job; None to read them.
    """
    estimator = job.make_estimator()
    parts = parts or open_parts(job.source, estimator)
    check_run(folder, job, parts)
    n_training, n_test = len(parts.training), len(parts.test)
    on_message(f"{parts.listed.name}: {n_training:,} samples to learn from, {n_test:,} held out")
    announcer, files = Announcer(on_message, job.max_seconds), HistoryFiles(folder)

    def fit(model: Unwarper, name: str, folder_name: str) -> Unwarper:
        callbacks = (announcer, files.observer(name), *callbacks_for(name))
        trained = fit_or_load(model, parts.training, folder, folder_name, callbacks)
        files.histories[name] = trained.history_
        files.write()
        return trained

    warped = fit(estimator, "warped", "model")
    baseline = fit(without_warp(warped), "baseline", "baseline")
    on_message("scoring both models on the held-out samples")
    outcome = score_outcome(job, parts, warped, baseline)
    write_scores(outcome, folder)
    write_tables(warped, parts.listed, folder)
    return outcome


def follow(folder: Path, job: Job, parts: Parts | None = None) -> None:
    """Train the models of a run along with another process.

    The first of several processes executes the run (see `execute`). This one writes and shows
    nothing.

    Args:
        folder: The run folder.
        job: The job of the run.
        parts: The samples of the job, if they are already read; None to read them.

    Raises:
        ProcessError: Another process was lost.
    """
    folder, estimator = expand(folder), job.make_estimator()
    parts = parts or open_parts(job.source, estimator)
    warped = fit_or_load(estimator, parts.training, folder, "model", ())
    fit_or_load(without_warp(warped), parts.training, folder, "baseline", ())


def without_warp(warped: Unwarper) -> Unwarper:
    """The baseline of a trained estimator: the same recipe without a warp.

    The content code grows by the size of the deformation, so that both models have as many latents
    in total. All other settings are equal.

    Args:
        warped: A trained estimator.

    Returns:
        An estimator that is not yet trained.
    """
    recipe = warped.recipe_.without_warp()
    baseline: Unwarper = clone(warped)
    baseline.set_params(warp=recipe.warp, recipe=recipe, n_content=None, overrides=None)
    return baseline


def fit_or_load(
    model: Unwarper, source: Source, folder: Path, name: str, callbacks: tuple[Callback, ...]
) -> Unwarper:
    """Load a trained model of a run, or train and save it.

    The model is trained only if it was not saved before. A checkpoint in the run folder lets an
    interrupted training continue. It is removed at the end, and so is what an interruption after
    the end of the training left.

    Args:
        model: The estimator before training.
        source: Samples to train on.
        folder: The run folder.
        name: Name of the model's folder inside the run folder; the files of its history and its
            checkpoint begin with it.
        callbacks: Callbacks of the training. Of several processes the first one writes.

    Returns:
        The trained estimator with its history.

    Raises:
        CheckpointError: The saved model or its history is damaged.
    """
    model_folder, record = folder / name, folder / f"{name}.history.json"

    def notify(line: str) -> None:
        for callback in callbacks:
            callback.on_message(line)

    checkpoint = Checkpoint(folder / f"{name}.checkpoint", on_message=notify)
    connect_processes(model.device)
    trained = run_once(lambda: _load_trained(model_folder, record, checkpoint))
    if trained is not None:
        return trained
    model.fit(source, callbacks=(checkpoint, *callbacks))
    gc.collect()  # optimisers and checkpoints refer to each other in circles
    if not is_first_process():
        return model
    write_history(record, model.history_)
    model.save(model_folder)
    checkpoint.discard()
    return model


def _load_trained(model_folder: Path, record: Path, checkpoint: Checkpoint) -> Unwarper | None:
    """The trained model of a run; None if it is not trained yet.

    Args:
        model_folder: Folder of the model.
        record: File of its history.
        checkpoint: Its checkpoint, which a trained model no longer needs.
    """
    recover_folder(model_folder)
    if not (model_folder.is_dir() and record.is_file()):
        return None
    trained = Unwarper.load(model_folder)
    trained.history_ = read_history(record)
    checkpoint.discard()
    clear_lock(model_folder)
    return trained


def write_history(path: Path, history: History) -> None:
    """Write the history of a training as JSON, with a checksum.

    Args:
        path: The file; an existing one is replaced.
        history: The history.

    Raises:
        ConfigError: The file cannot be written.
    """
    record = json.loads(json.dumps(asdict(history)))
    write_file(path, json.dumps({**record, "checksum": checksum(record)}))


def read_history(path: Path) -> History:
    """The history that `write_history` wrote.

    A history of an earlier version has no checksum, and is read without one.

    Args:
        path: The file.

    Raises:
        CheckpointError: It is damaged.
        FileNotFoundError: It does not exist.
    """
    history = read_record(path, History)
    record = json.loads(read_plain(path))
    if record.pop("checksum", None) not in (None, checksum(record)):
        raise CheckpointError(
            f"{path} is damaged (its checksum differs); start the run again in another folder"
        )
    return history
