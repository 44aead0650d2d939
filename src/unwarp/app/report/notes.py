"""Sentences of a report on what the training decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from unwarp.app.outcome import Outcome
from unwarp.app.report.examples import overview_embedding
from unwarp.core import Array, Factor
from unwarp.models.measured import ElasticCode
from unwarp.models.pose_modes import largest_turn
from unwarp.models.symmetry import ROUND, symmetry_orders
from unwarp.plots import format_number

TURNS: Mapping[int, str] = {2: "half a turn", 3: "a third of a turn", 4: "a quarter turn"}
"""Turns that change nothing, in words, by the order of a symmetry."""

MIN_SPREAD, MIN_SIZE = 1e-5, 1e-3
"""Least spread of a column that varies, as a share of its largest value, which counts as at least
the second number."""


def content_note(outcome: Outcome) -> tuple[str, ...]:
    """Sentences on elastic codes, and on the network that predicts them.

    Returns:
        The sentences, in a tuple; an empty tuple if the content is not elastic.
    """
    unwarper = outcome.warped.unwarper
    content = getattr(unwarper.model_.encoder, "content", None)
    if not isinstance(content, ElasticCode):
        return ()
    form = "aligned" if content.sees_aligned else "observed"
    text = (
        "Content codes are elastic: they are measured rather than learned, from the distances of "
        f"{form} series to {int(content.n_landmarks)} training series, by measures that allow for "
        "small differences in timing. The decoder was then trained to draw templates from them."
    )
    if unwarper.fast_loss_ is not None:
        text += f" A small network predicts these codes (fast=True): {unwarper.fast_loss_}."
    return (text,)


def refinement_note(outcome: Outcome) -> tuple[str, ...]:
    """Sentences on the refinement of learned deformations, with its evidence.

    Returns:
        The sentences, in a tuple; an empty tuple if the alignment was not refined.
    """
    refinement = outcome.warped.unwarper.refinement_
    if refinement is None:
        return ()
    evidence = f": {refinement.why}" if refinement.why else ""
    return (
        f"The alignment was refined after training{evidence}. {refinement.movement} Aligned "
        "samples and deformations that you export have this refinement; figures and scores of this "
        "page show the learned deformation without it.",
    )


def symmetry_note(outcome: Outcome) -> tuple[str, ...]:
    """Sentences on clusters with templates that look alike after a turn.

    Returns:
        The sentences, in a tuple; an empty tuple if there are none, or if the warp does not turn.
    """
    clusters: dict[int, list[str]] = {}
    for number, order in enumerate(_symmetries(outcome)):
        if order != 1:
            clusters.setdefault(order, []).append(str(number))
    return tuple(_symmetry(order, clusters[order]) for order in sorted(clusters))


def symmetry_names(outcome: Outcome) -> tuple[str, ...]:
    """The symmetry of each cluster's template, such as `2-fold` or `round`.

    Returns:
        A word for each cluster; empty for a template without symmetry, and if the warp does not
        turn.
    """
    words = {1: "", ROUND: "round"}
    return tuple(words.get(order, f"{order}-fold") for order in _symmetries(outcome))


def _symmetries(outcome: Outcome) -> list[int]:
    """Orders of symmetry of the templates of clusters; 1 for all if the warp does not turn."""
    unwarper = outcome.warped.unwarper
    templates = unwarper.cluster_templates_
    if not largest_turn(unwarper.model_):
        return [1] * len(templates)
    return symmetry_orders(torch.from_numpy(templates))


def _symmetry(order: int, clusters: Sequence[str]) -> str:
    """A sentence on the symmetry of the templates of clusters."""
    noun = "The template of cluster" if len(clusters) == 1 else "The templates of clusters"
    verb = "is" if len(clusters) == 1 else "are"
    subject = f"{noun} {', '.join(clusters)} {verb}"
    if order == ROUND:
        return f"{subject} round: no turn changes anything, so that angles mean nothing there."
    turn = TURNS.get(order, f"a turn by {360 / order:.3g} degrees")
    return f"{subject} {order}-fold: {turn} changes nothing, so angles are known up to it."


def constant_note(outcome: Outcome) -> tuple[str, ...]:
    """A sentence on columns of the deformation that are constant.

    Returns:
        The sentence, in a tuple; an empty tuple if there is no such column.
    """
    table = overview_embedding(outcome.warped, outcome).table
    constant = table.keys() - varying(table).keys()
    values = [
        f"{factor.label} is {format_number(float(np.mean(table[factor])))}"
        for factor in table
        if factor in constant
    ]
    if not values:
        return ()
    return (f"The same for all samples, and therefore without a histogram: {', '.join(values)}.",)


def varying(table: Mapping[Factor, Array]) -> dict[Factor, Array]:
    """The columns of a table of deformations that are not constant.

    Args:
        table: Values (N,) by their factor.

    >>> lag = Factor("lag_s", "s", -1.0, 1.0)
    >>> list(varying({lag: np.ones(3)}))
    []
    """
    return {
        factor: values
        for factor, values in table.items()
        if np.ptp(values) > MIN_SPREAD * max(float(np.abs(values).max()), MIN_SIZE)
    }
