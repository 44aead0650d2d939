"""What came of a run: trained models, their scores, and `metrics.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from platform import python_version
from typing import Any

import numpy as np
import torch
from sklearn.metrics import pairwise_distances_argmin

from unwarp import metrics
from unwarp._version import __version__
from unwarp.analysis.embedding import Embedding, align_in_chunks, embed
from unwarp.analysis.scoring import Report, known, moved, score
from unwarp.app.job import Job
from unwarp.app.parts import Parts
from unwarp.data.dataset import Dataset, reference_view
from unwarp.estimators.unwarper import Unwarper
from unwarp.metrics.separation import nearest, separation, variance_left
from unwarp.models import AE
from unwarp.models.codec import describe
from unwarp.storage import write_file
from unwarp.warps import interpolate_missing

PIXELS = ("moment_baselines",)


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
    training, test = (warped.schema_.prepare_dataset(part, warped.missing) for part in (parts.training, parts.test))
    first, second = (trial(model, training, test) for model in (warped, baseline))
    return Outcome(job, training, test, first, second, _baselines(training, test))


def trial(model: Unwarper, training: Dataset, test: Dataset) -> Trial:
    """Score a trained model on held-out samples."""
    held, seen = test, reference_view(training)
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
    seen, held = (
        align_in_chunks(torch.from_numpy(facts[f"{p}x"]), facts[f"{p}map"], padding).numpy() for p in ("train_", "")
    )
    if known:
        scores = separation(seen, facts["train_labels"], held, facts["labels"])
        found |= {f"aligned_{name}": value for name, value in scores.items()}
    left = variance_left(facts["x"], held, pairwise_distances_argmin(facts["codes"], model.cluster_centers_))
    return found | ({"variance_left": left} if np.isfinite(left) else {})


def _baselines(training: Dataset, test: Dataset) -> Report:
    """What pixels, or raw series, give alone, where there are labels."""
    if test.labels is None or training.labels is None or len(np.unique(test.labels)) < 2:
        return Report({}, {"baselines": "labels"})
    if test.x.ndim == 3:
        seen, held = (interpolate_missing(part.x).numpy() for part in (training, test))
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
    write_file(folder / "metrics.json", json.dumps(record, indent=1))


def versions() -> dict[str, str]:
    """Versions that a result depends on."""
    return {"unwarp": __version__, "torch": torch.__version__, "numpy": np.__version__, "python": python_version()}


def _series(outcome: Outcome) -> bool:
    return outcome.test.x.ndim == 3
