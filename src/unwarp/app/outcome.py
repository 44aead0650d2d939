"""Outcome of a run: trained models, their scores, and `metrics.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from platform import python_version
from typing import Any

import numpy as np
import torch

from unwarp import metrics
from unwarp._version import __version__
from unwarp.analysis.embedding import Embedding, embed
from unwarp.analysis.scoring import Report, dataset_inputs, probe_inputs, score, score_inputs
from unwarp.app.job import Job
from unwarp.app.parts import Parts
from unwarp.data.dataset import Dataset, reference_view
from unwarp.estimators.unwarper import Unwarper
from unwarp.metrics import ScoreInputs
from unwarp.models.codec import describe
from unwarp.storage import write_file


@dataclass(frozen=True)
class Trial:
    """One trained model with its embedding and scores of the held-out samples.

    Attributes:
        unwarper: The trained estimator.
        embedding: Codes, templates and deformations of the held-out samples.
        report: Scores on the held-out samples.

    >>> from unwarp.data.opening import as_source
    >>> X = np.random.default_rng(0).normal(size=(8, 12))
    >>> unwarper = Unwarper("time", max_steps=1, n_clusters=2, device="cpu").fit(X)
    >>> data = unwarper.prepare_dataset(as_source(X))
    >>> "reconstruction_error" in Trial.of(unwarper, data, data).report.scores
    True
    """

    unwarper: Unwarper
    embedding: Embedding
    report: Report

    @classmethod
    def of(cls, unwarper: Unwarper, training: Dataset, test: Dataset) -> Trial:
        """Score a trained estimator on held-out samples.

        Args:
            unwarper: The trained estimator.
            training: Training samples, scaled for the model; neighbours, probes and clusters are
                fitted to them.
            test: Held-out samples, scaled for the model.
        """
        network, reference = unwarper.model_, reference_view(training)
        embedding = embed(network, test.x)
        inputs = score_inputs(test, embedding, network) | probe_inputs(network, test.x)
        inputs |= ScoreInputs(
            cluster_centers=unwarper.cluster_centers_,
            reference=score_inputs(reference, embed(network, reference.x), network),
        )
        return cls(unwarper, embedding, score(inputs, _score_names(of_samples=False)))

    @property
    def samples_per_second(self) -> float:
        """Speed of training in samples a second; second views count as samples."""
        views = 2 if getattr(self.unwarper.recipe_, "views", 0) else 1
        return views * self.unwarper.history_.samples_per_second


@dataclass(frozen=True)
class Outcome:
    """Both trained models of a run, with samples and scores.

    `unwarp.app.run.execute` makes it, and `unwarp.app.report` shows it.

    Attributes:
        job: The job of the run.
        training: Training samples, scaled for the models.
        test: Held-out samples, scaled for the models.
        warped: The model with the warp.
        baseline: The same model without a warp, with as many latents in total.
        sample_scores: Scores of the samples themselves, without a model.
    """

    job: Job
    training: Dataset
    test: Dataset
    warped: Trial
    baseline: Trial
    sample_scores: Report

    @property
    def trials(self) -> dict[str, Trial]:
        """Both models under the names `warped` and `baseline`."""
        return {"warped": self.warped, "baseline": self.baseline}


def score_outcome(job: Job, parts: Parts, warped: Unwarper, baseline: Unwarper) -> Outcome:
    """Score both models of a run on its held-out samples.

    Args:
        job: The job of the run.
        parts: Its samples.
        warped: The trained estimator with the warp.
        baseline: The trained estimator without a warp; both scale samples alike.

    Returns:
        The outcome, with scores of the samples themselves as well.
    """
    training, test = (warped.prepare_dataset(part) for part in (parts.training, parts.test))
    first, second = (Trial.of(model, training, test) for model in (warped, baseline))
    return Outcome(job, training, test, first, second, _score_samples(training, test))


def _score_samples(training: Dataset, test: Dataset) -> Report:
    """Scores of pixels or raw series, without a model; they need labels."""
    inputs = replace(dataset_inputs(test), reference=dataset_inputs(reference_view(training)))
    return score(inputs, _score_names(of_samples=True))


def _score_names(of_samples: bool) -> tuple[str, ...]:
    """Names of the scores of samples alone, or of the scores of a model."""
    return tuple(
        name for name, metric in metrics.catalogue().items() if metric.baseline == of_samples
    )


def write_scores(outcome: Outcome, folder: Path) -> None:
    """Write the scores of all models, with recipes and versions, as `metrics.json`.

    Args:
        outcome: Outcome of a run.
        folder: The run folder.
    """
    record: dict[str, Any] = {
        "job": asdict(outcome.job),
        "versions": versions(),
        "held_out": len(outcome.test),
    }
    for name, trial in outcome.trials.items():
        record[name] = {
            "scores": dict(trial.report.scores),
            "missing": dict(trial.report.missing),
            "training_seconds": trial.unwarper.history_.seconds,
            "steps": trial.unwarper.history_.steps,
            "images_per_second": trial.samples_per_second,
            "embedded_per_second": trial.embedding.samples_per_second,
            "recipe": describe(trial.unwarper.recipe_),
        }
    record["baselines"] = dict(outcome.sample_scores.scores)
    write_file(folder / "metrics.json", json.dumps(record, indent=1))


def versions() -> dict[str, str]:
    """Versions of Unwarp, PyTorch, NumPy and Python, by name."""
    return {
        "unwarp": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": python_version(),
    }
