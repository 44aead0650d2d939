"""One zero of lags for templates of similar shapes."""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp.models.lags.clustering import Fit
from unwarp.models.lags.matching import MIN_OVERLAP, Templates
from unwarp.models.lags.periods import vertex

MIN_CORRELATION = 0.7
"""Least correlation of two templates that are registered to one another."""


def register(fit: Fit) -> Tensor:
    """Shifts of templates that bring similar ones to the same place.

    The template with most series stays. Of all others, the one that correlates most with a
    registered template, at the best shift, is the next to be registered.

    Args:
        fit: Templates, and the series that they were made from.

    Returns:
        Shifts (K,) in time steps, positive if the template moves later; 0 for templates
        that are like no other one.
    """
    templates, n = fit.templates, len(fit.templates.values)
    sizes = torch.bincount(fit.poses.template, minlength=n)
    shifts, registered = templates.values.new_zeros(n), [int(sizes.argmax())]
    pairs = {(i, j): _best_shift(templates, i, j) for i in range(n) for j in range(n) if i != j}
    while len(registered) < n:
        ends = [(i, j) for i in registered for j in range(n) if j not in registered]
        i, j = max(ends, key=lambda pair: pairs[pair][0])
        correlation, shift = pairs[i, j]
        shifts[j] = shifts[i] + shift if correlation > MIN_CORRELATION else 0.0
        registered.append(j)
    return shifts


def _best_shift(templates: Templates, i: int, j: int) -> tuple[float, float]:
    """The greatest correlation of template `i` with a shifted template `j`, and the shift."""
    size = templates.values.shape[-1]
    (a, b), (p, q) = templates.values[[i, j]].double(), (templates.counts[[i, j]] > 0).double()

    def correlate(first: Tensor, second: Tensor) -> Tensor:
        product = torch.fft.rfft(first, 2 * size) * torch.fft.rfft(second, 2 * size).conj()
        return torch.as_tensor(torch.fft.irfft(product, 2 * size))

    overlap = correlate(p, q)
    count, sums = overlap.clamp_min(1e-6), (correlate(a * p, q), correlate(p, b * q))
    covariance = (correlate(a * p, b * q) - sums[0] * sums[1] / count).sum(0)
    squares = (correlate(a * a * p, q), correlate(p, b * b * q))
    variances = [
        (square - part.square() / count).sum(0) for square, part in zip(squares, sums, strict=True)
    ]
    correlation = covariance / (variances[0] * variances[1]).clamp_min(1e-12).sqrt()
    needed = MIN_OVERLAP * min(float(p.sum()), float(q.sum()))
    correlation = correlation.masked_fill(overlap.sum(0) < needed - 1e-3, -1.0)
    index = int(correlation.argmax())
    near = correlation.roll(1 - index)[:3].tolist()
    offset = vertex([-value for value in near], 1)
    shift = index if index < size else index - 2 * size
    return near[1], shift if offset is None else shift + offset[0] - 1
