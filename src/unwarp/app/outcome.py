"""Outcome of a run: both trained models, their scores, and `metrics.json`.

A run trains a model with a warp and a baseline without one. Held-out samples are not used for
training; all scores are measured on them.
"""

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
from unwarp.data.dataset import Dataset
from unwarp.data.samples import reference_view
from unwarp.data.source import Source
from unwarp.estimators.unwarper import Unwarper
from unwarp.metrics import ScoreInputs
from unwarp.models.codec import describe
from unwarp.storage.files import write_file

MAX_BYTES_OF_TEST, MAX_BYTES_OF_REFERENCE = 8 << 20, 16 << 20
"""Greatest size of the samples of a file that are scored, and of those they are compared with."""


@dataclass(frozen=True)
class ScoredModel:
    """One trained model, with its embedding and scores of held-out samples.

    Attributes:
        unwarper: The trained estimator.
        embedding: Content codes, templates and deformations of the held-out samples.
        report: Scores on the held-out samples.

    >>> from unwarp.data.opening import as_source
    >>> X = np.random.default_rng(0).normal(size=(8, 12))
    >>> unwarper = Unwarper("time", max_steps=1, n_clusters=2, device="cpu").fit(X)
    >>> data = unwarper.prepare_dataset(as_source(X))
    >>> "reconstruction_error" in ScoredModel.of(unwarper, data, data).report.scores
    True
    """

    unwarper: Unwarper
    embedding: Embedding
    report: Report

    @classmethod
    def of(cls, unwarper: Unwarper, training: Dataset, test: Dataset) -> ScoredModel:
        """Score a trained estimator on held-out samples.

        Args:
            unwarper: The trained estimator.
            training: Training samples, scaled for the model. Nearest neighbours, linear probes and
                clusters are fitted to them.
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
        """Number of samples that the training processed per second.

        If the recipe trains with a second, randomly deformed view of each sample, each sample
        counts twice.
        """
        views = 2 if getattr(self.unwarper.recipe_, "views", 0) else 1
        return views * self.unwarper.history_.samples_per_second


@dataclass(frozen=True)
class Outcome:
    """Both trained models of a run, with its samples and all scores.

    `unwarp.app.run.execute` returns it, and `unwarp.app.report` presents it.

    Attributes:
        job: The job of the run.
        training: Training samples, scaled for the models; of a large file some of them.
        test: Held-out samples, scaled for the models; of a large file some of them.
        warped: The model with the warp.
        baseline: The same model without a warp, with as many latents in total.
        sample_scores: Scores of the pixels or values of the samples, without a model, such as the
            accuracy of a nearest-neighbour classifier; empty without labels.
        n_training: Number of samples that the models learned from; `training` may have fewer.
    """

    job: Job
    training: Dataset
    test: Dataset
    warped: ScoredModel
    baseline: ScoredModel
    sample_scores: Report
    n_training: int

    @property
    def scored_models(self) -> dict[str, ScoredModel]:
        """Both models under the names `warped` and `baseline`."""
        return {"warped": self.warped, "baseline": self.baseline}


def score_outcome(job: Job, parts: Parts, warped: Unwarper, baseline: Unwarper) -> Outcome:
    """Score both models of a run on the held-out samples.

    Args:
        job: The job of the run.
        parts: Training and held-out samples.
        warped: The trained estimator with the warp.
        baseline: The trained estimator without a warp. It must scale samples as `warped` does.

    Returns:
        The models with their scores, and the scores of pixels or values without a model.
    """
    shape = warped.model_.shape
    training = warped.prepare_dataset(view_of(parts.training, shape, MAX_BYTES_OF_REFERENCE))
    test = warped.prepare_dataset(view_of(parts.test, shape, MAX_BYTES_OF_TEST))
    first, second = (ScoredModel.of(model, training, test) for model in (warped, baseline))
    n = len(parts.training)
    return Outcome(job, training, test, first, second, _score_samples(training, test), n)


def unscored_outcome(job: Job, parts: Parts, warped: Unwarper, baseline: Unwarper) -> Outcome:
    """Both models of a run and its samples, without scores.

    Args:
        job: The job of the run.
        parts: Training and held-out samples.
        warped: The trained estimator with the warp.
        baseline: The trained estimator without a warp.
    """
    shape, empty = warped.model_.shape, Report({}, {})
    training = warped.prepare_dataset(view_of(parts.training, shape, MAX_BYTES_OF_REFERENCE))
    test = warped.prepare_dataset(view_of(parts.test, shape, MAX_BYTES_OF_TEST))
    first, second = (
        ScoredModel(model, embed(model.model_, test.x), empty) for model in (warped, baseline)
    )
    return Outcome(job, training, test, first, second, empty, len(parts.training))


def view_of(source: Source, shape: tuple[int, ...], n_bytes: int, seed: int = 5) -> Source:
    """Samples that stand for all others in scores.

    Args:
        source: Samples; a built-in data set is in memory already, and stays whole.
        shape: Shape of a sample (C, ...) as the model takes it.
        n_bytes: Greatest size of the samples for the model.
        seed: Seed of the choice.

    Returns:
        Some samples, in their order; all if they are few enough.
    """
    n = max(2, n_bytes // (4 * int(np.prod(shape))))
    if source.dataset is not None or len(source) <= n:
        return source
    return source.subset(np.sort(np.random.default_rng(seed).permutation(len(source))[:n]))


def _score_samples(training: Dataset, test: Dataset) -> Report:
    """Scores of the pixels or values of samples, without a model; empty without labels."""
    inputs = replace(dataset_inputs(test), reference=dataset_inputs(reference_view(training)))
    return score(inputs, _score_names(of_samples=True))


def _score_names(of_samples: bool) -> tuple[str, ...]:
    """Names of all scores that need no model (`of_samples`), or of all that need one."""
    return tuple(
        name for name, metric in metrics.catalogue().items() if metric.baseline == of_samples
    )


def write_scores(outcome: Outcome, folder: Path) -> None:
    """Write the scores of both models, with recipes and versions, as `metrics.json`.

    Args:
        outcome: Outcome of a run.
        folder: The run folder.
    """
    record: dict[str, Any] = {
        "job": asdict(outcome.job),
        "versions": versions(),
        "held_out": len(outcome.test),
    }
    for name, model in outcome.scored_models.items():
        record[name] = {
            "scores": dict(model.report.scores),
            "missing": dict(model.report.missing),
            "training_seconds": model.unwarper.history_.seconds,
            "steps": model.unwarper.history_.steps,
            "length": list(model.unwarper.history_.notes),
            "rollbacks": [asdict(rollback) for rollback in model.unwarper.history_.rollbacks],
            "images_per_second": model.samples_per_second,
            "embedded_per_second": model.embedding.samples_per_second,
            "recipe": describe(model.unwarper.recipe_),
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
