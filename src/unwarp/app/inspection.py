"""What a source, a model or this installation holds, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unwarp import datasets
from unwarp.analysis.scoring import Report, evaluate
from unwarp.app.parts import open_source
from unwarp.data.dataset import reference_view
from unwarp.estimators.unwarper import Unwarper


def judge(folder: Path, source: str, device: str = "auto", draws: int = 0) -> Report:
    """Scores of the model in `folder` on `source`, and what the others miss.

    Args:
        folder: A model.
        source: A built-in data set, whose training part is the reference; a file or a folder.
        device: `auto`, `cpu`, `cuda` or `mps`.
        draws: Importance samples for log p(x) of each sample; 0 for none.
    """
    model = Unwarper.load(folder)
    test = model.prepare_dataset(open_source(source))
    reference = None
    if source in datasets.names():
        training = model.prepare_dataset(open_source(source, "train"))
        reference = reference_view(training)
    centers = model.cluster_centers_
    return evaluate(
        model.model_, test, reference, device=device, draws=draws, cluster_centers=centers
    )


def describe_model(folder: Path) -> dict[str, Any]:
    """What a model folder holds, for people."""
    model = Unwarper.load(folder)
    return {
        "model": str(folder),
        "shape": model.model_.shape,
        "domain": model.schema_.domain.name,
        "family": model.recipe_.family,
        "warp": repr(model.recipe_.warp),
        "content": model.model_.n_content,
        "parameters": sum(p.numel() for p in model.model_.parameters()),
        "clusters": len(model.cluster_centers_),
    }
