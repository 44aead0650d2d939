"""Measured codes are multidimensional scaling of elastic distances."""

from __future__ import annotations

import torch
from torch import Tensor

from unwarp.models.measured import ElasticCode


def bumps(n: int, seed: int = 0, steps: int = 60) -> tuple[Tensor, Tensor]:
    """Series with one or two bumps at jittered times (N, 1, T), and their kinds (N,)."""
    rng = torch.Generator().manual_seed(seed)
    t = torch.linspace(0, 1, steps)
    kinds = torch.arange(n) % 2
    late = 0.08 * torch.rand(n, 1, generator=rng)
    first = torch.exp(-0.5 * ((t - 0.3 - late) / 0.05) ** 2)
    second = torch.exp(-0.5 * ((t - 0.7 - late) / 0.05) ** 2) * kinds[:, None]
    noise = 0.05 * torch.randn(n, steps, generator=rng)
    return (first + second + noise)[:, None], kinds


def code(x: Tensor, n_content: int = 6, aligned: Tensor | None = None) -> ElasticCode:
    """A code that is fitted to series."""
    measured = ElasticCode(tuple(x.shape[1:]), n_content)
    measured.fit(x, aligned)
    return measured


def test_codes_separate_kinds() -> None:
    """New series have their nearest code in their own kind."""
    (x, kinds), (y, truth) = bumps(40), bumps(30, seed=1)
    measured = code(x)
    nearest = torch.cdist(measured(y)[0], measured(x)[0]).argmin(1)
    assert torch.equal(kinds[nearest], truth)


def test_codes_keep_floored_distances() -> None:
    """Squared distances of codes are the floored elastic distances, up to one factor."""
    x, _ = bumps(12)
    measured = code(x, 11)
    codes = measured(x)[0].double()
    elastic = measured.distance(x, x).double()
    floors = elastic.clone().fill_diagonal_(torch.inf).amin(1)
    floored = (torch.maximum(elastic, floors) + torch.maximum(elastic, floors).T) / 2
    pairs = torch.triu_indices(12, 12, 1)
    squared = torch.cdist(codes, codes).square()[pairs[0], pairs[1]]
    correlation = torch.corrcoef(torch.stack([squared, floored[pairs[0], pairs[1]]]))[0, 1]
    assert correlation > 0.98


def test_training_series_are_like_new_ones() -> None:
    """A training series is not nearer to its own code than a new series of its kind is."""
    x, _ = bumps(200)
    measured = code(x[:100])
    known, new = measured(x[:100])[0], measured(x[100:])[0]
    norms = [codes.square().sum(1).mean() for codes in (known, new)]
    assert 0.8 < float(norms[0] / norms[1]) < 1.25


def test_code_of_a_row_is_its_own() -> None:
    """A series alone has the code that it has in a batch."""
    x, _ = bumps(20)
    measured = code(x)
    assert torch.allclose(measured(x)[0][3:4], measured(x[3:4])[0], atol=1e-4)


def test_code_restores_from_its_state() -> None:
    """All numbers of a code are in its state; few series leave columns of 0."""
    x, _ = bumps(5)
    measured, other = code(x), ElasticCode((1, 60), 6)
    other.load_state_dict(measured.state_dict())
    assert torch.equal(other(x)[0], measured(x)[0])
    assert (measured(x)[0][:, 5:] == 0).all() and not measured(x)[0].isnan().any()


def test_aligned_series_must_be_nearer() -> None:
    """Codes are those of aligned series only if their nearest series are nearer."""
    x, _ = bumps(10)
    moved = torch.stack([row.roll(6 * i, -1) for i, row in enumerate(x)])
    assert bool(code(moved, aligned=x).sees_aligned)
    assert not bool(code(x, aligned=moved).sees_aligned)


def test_masks_mark_missing_values() -> None:
    """Values under a mask of 0 do not count, whatever they are."""
    x, _ = bumps(20)
    mask = torch.ones_like(x)
    mask[:, :, 50:] = 0
    measured = ElasticCode((1, 60), 4, n_mask_channels=1)
    inputs = [torch.cat([torch.where(mask > 0, x, fill), mask], 1) for fill in (0.0, 9.0)]
    measured.fit(inputs[0])
    assert torch.equal(measured(inputs[0])[0], measured(inputs[1])[0])


def test_constant_series_have_codes() -> None:
    """Series without variation have codes of 0."""
    x = torch.ones(4, 1, 10)
    assert (code(x)(x)[0].abs() < 1e-3).all()
