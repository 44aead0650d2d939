"""What a source, a model or this installation holds, for people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from unwarp import datasets, metrics, models, warps
from unwarp._version import __version__
from unwarp.analysis.scoring import Report, evaluate
from unwarp.app.exports import samples_of
from unwarp.data.dataset import Dataset, reference_view
from unwarp.data.formats.files import read
from unwarp.estimators.unwarper import Unwarper


def found(source: str) -> str:
    """What a source holds, in a line for people."""
    if source in datasets.names():
        return f"{source}: built-in data set"
    return f"{source}: {read(source).found}"


def judge(folder: Path, source: str, device: str = "auto", draws: int = 0) -> Report:
    """Scores of the model in `folder` on `source`, and what the others miss.

    Args:
        folder: A model.
        source: A built-in data set, whose training part is the reference; a file or a folder.
        device: `auto`, `cpu`, `cuda` or `mps`.
        draws: Importance samples for log p(x) of each sample; 0 for none.
    """
    model = Unwarper.load(folder)
    test, reference = _parts(model, source)
    centers = model.cluster_centers_
    return evaluate(model.model_, test, reference, device=device, draws=draws, cluster_centers=centers)


def _parts(model: Unwarper, source: str) -> tuple[Dataset, Dataset | None]:
    """Samples to score, and reference samples of a built-in set, as the model takes them."""
    if source in datasets.names():
        test, reference = datasets.load(source, "test"), reference_view(datasets.load(source, "train"))
        return replace(test, x=model.prepare(test.x.numpy())), replace(reference, x=model.prepare(reference.x.numpy()))
    samples, _, labels = samples_of(source)
    return Dataset(model.prepare(samples), source, labels=labels), None


def describe_model(folder: Path) -> dict[str, Any]:
    """What a model folder holds, for people."""
    model = Unwarper.load(folder)
    return {
        "model": str(folder),
        "shape": model.model_.shape,
        "domain": model.schema_.domain,
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
