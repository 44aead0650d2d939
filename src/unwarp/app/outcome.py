"""What came of a run: trained models, their scores, and `metrics.json`."""

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
    """One trained model and what it says of the held-out samples."""

    unwarper: Unwarper
    embedding: Embedding
    report: Report

    @property
    def images_per_second(self) -> float:
        """Pace of training, all views counted."""
        views = 2 if getattr(self.unwarper.recipe_, "views", 0) else 1
        return views * self.unwarper.history_.samples_per_second


@dataclass(frozen=True)
class Outcome:
    """Everything a report shows; `training` and `test` are as the models see them."""

    job: Job
    training: Dataset
    test: Dataset
    warped: Trial
    baseline: Trial
    baselines: Report

    @property
    def trials(self) -> dict[str, Trial]:
        """Both models by name."""
        return {"warped": self.warped, "baseline": self.baseline}


def score_outcome(job: Job, parts: Parts, warped: Unwarper, baseline: Unwarper) -> Outcome:
    """Both models scored on the held-out samples.

    Args:
        job: What was asked for.
        parts: The samples.
        warped: The trained model.
        baseline: The trained model without a warp; it takes the same samples in the same units.
    """
    training, test = (warped.prepare_dataset(part) for part in (parts.training, parts.test))
    first, second = (trial(model, training, test) for model in (warped, baseline))
    return Outcome(job, training, test, first, second, _baselines(training, test))


def trial(model: Unwarper, training: Dataset, test: Dataset) -> Trial:
    """Score a trained model on held-out samples.

    Args:
        model: The trained model.
        training: Training samples, on which neighbours, probes and clusters are fitted.
        test: Held-out samples.
    """
    network, reference = model.model_, reference_view(training)
    embedding = embed(network, test.x)
    inputs = score_inputs(test, embedding, network) | probe_inputs(network, test.x)
    inputs |= ScoreInputs(
        cluster_centers=model.cluster_centers_,
        reference=score_inputs(reference, embed(network, reference.x), network),
    )
    return Trial(model, embedding, score(inputs, _names(baseline=False)))


def _baselines(training: Dataset, test: Dataset) -> Report:
    """Scores of pixels, or of raw series, alone, where there are labels."""
    inputs = replace(dataset_inputs(test), reference=dataset_inputs(reference_view(training)))
    return score(inputs, _names(baseline=True))


def _names(baseline: bool) -> tuple[str, ...]:
    """Names of the scores of samples alone, or of the others."""
    return tuple(
        name for name, metric in metrics.catalogue().items() if metric.baseline == baseline
    )


def write_scores(outcome: Outcome, folder: Path) -> None:
    """`metrics.json`: every score of every model, what was missing, and what it was measured with."""
    record: dict[str, Any] = {
        "job": asdict(outcome.job),
        "versions": versions(),
        "held_out": len(outcome.test),
    }
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
    write_file(folder / "metrics.json", json.dumps(record, indent=1))


def versions() -> dict[str, str]:
    """Versions that a result depends on."""
    return {
        "unwarp": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": python_version(),
    }
