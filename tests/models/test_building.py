"""From an architecture to a model: weights follow the seed, and what does not fit is refused."""

from __future__ import annotations

import pytest
import torch

from tests.weights import weights
from unwarp.core import IMAGES, SERIES
from unwarp.errors import ConfigError
from unwarp.models import AE, VAE, Net
from unwarp.models.building import build, complete, domain_of
from unwarp.warps import Affine2d, Chain, CosineTime, Displacement2d, Gain, Identity, Warp

SMALL = AE(warp=Affine2d(), n_content=3, net=Net("mlp", (8,), (8,)))


def test_weights_follow_the_seed_alone() -> None:
    """Neither do they depend on the numbers drawn before, nor do they change those drawn after."""
    torch.manual_seed(5)
    first, after = weights(build(SMALL, (1, 8, 8), seed=1)), torch.rand(3)
    again, other = (weights(build(SMALL, (1, 8, 8), seed=seed)) for seed in (1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(3), after)


@pytest.mark.parametrize(
    ("warp", "shape", "words"),
    [
        (Identity(), (8,), "of no known domain"),
        (Identity(), (1, 2, 3, 4, 5), "of no known domain"),
        (CosineTime(), (1, 8, 8), "'time' acts on series data"),
        (Affine2d(), (1, 8), "'affine' acts on image data"),
    ],
)
def test_shapes_must_fit_the_warp(warp: Warp, shape: tuple[int, ...], words: str) -> None:
    """The message names the shape."""
    with pytest.raises(ConfigError, match=words):
        domain_of(warp, shape)


def test_auto_is_decided_by_the_domain() -> None:
    """Nothing is left open, and nothing that was decided changes."""
    pictures, series = (complete(VAE(), domain, ()) for domain in (IMAGES, SERIES))
    assert (pictures.likelihood, series.likelihood) == ("bernoulli", "gaussian")
    fixed = VAE(likelihood="gaussian", padding="border", gaps=True)
    assert complete(fixed, SERIES, ()) == fixed
    with pytest.raises(ConfigError, match="gaps=True is for series"):
        complete(fixed, IMAGES, ())


def test_outermost_warps_are_predicted_first() -> None:
    """An invertible warp has a learned start and its refinements, a residual one rung."""
    residual = build(AE(warp=Chain(Displacement2d(2), Affine2d()), refinements=2), (1, 8, 8))
    timed = build(AE(warp=Chain(CosineTime(4), Gain()), refinements=0), (1, 20))
    kinds = [[type(rung.warp) for rung in model.encoder.rungs] for model in (residual, timed)]
    assert kinds == [[Affine2d, Affine2d, Affine2d, Displacement2d], [Gain, CosineTime]]
