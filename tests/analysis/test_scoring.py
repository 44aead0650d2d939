"""`evaluate`: what each family and each data set lets it score, and what it says of the rest."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unwarp.analysis.scoring import evaluate, posterior_inputs
from unwarp.core import Factor
from unwarp.data.dataset import Dataset, reference_view
from unwarp.errors import ConfigError
from unwarp.models import AE, VAE, Net
from unwarp.warps import Affine2d, Chain, Displacement2d, Identity

SMALL = Net("mlp", (16,), (16,))
X = torch.rand(40, 1, 10, 10, generator=torch.Generator().manual_seed(0)).round()


def data(**more: object) -> Dataset:
    return Dataset(X, **more)  # type: ignore[arg-type]


def test_deterministic_encoder_has_no_posterior() -> None:
    """Its posterior has no inputs, and the scores of it are listed with what they miss."""
    model = AE(warp=Affine2d(), n_content=3, net=SMALL).build((1, 10, 10))
    assert posterior_inputs(model, X, 5).names() == ()
    report = evaluate(model, data())
    assert "log_weights" in report.missing["log_likelihood"]
    assert "labels" in report.missing["neighbours"]
    assert {"reconstruction_error", "at_bounds", "follow_deg"} <= set(report.scores)


def test_log_likelihood_is_a_score_where_draws_are_asked_for() -> None:
    model = VAE(warp=Affine2d(), n_content=3, net=SMALL).build((1, 10, 10))
    assert "log_likelihood" in evaluate(model, data()).missing
    scores = evaluate(model, data(), draws=8).scores
    assert scores["elbo"] < scores["log_likelihood"] < 0
    assert scores["content_rate"] > 0


def test_draws_of_a_deformation_without_density_are_refused() -> None:
    model = VAE(warp=Chain(Displacement2d(3), Affine2d()), n_content=3, net=SMALL).build(
        (1, 10, 10)
    )
    with pytest.raises(ConfigError, match="distribution over the whole deformation"):
        evaluate(model, data(), draws=2)


def test_known_factors_are_scored_where_at_least_two_vary() -> None:
    model = AE(warp=Identity(), n_content=3, net=SMALL).build((1, 10, 10))
    factors = (Factor("a", "", 0, 3), Factor("b", "", 0, 1))
    values = np.stack([np.arange(40) % 4, np.arange(40) // 4 % 2], 1)
    assert (
        "mig" in evaluate(model, data(factors=factors, factor_values=values), only=("mig",)).scores
    )
    values[:, 1] = 0
    assert (
        "mig" in evaluate(model, data(factors=factors, factor_values=values), only=("mig",)).missing
    )


def test_a_reference_view_is_drawn_once_and_bounded() -> None:
    noisy = Dataset(
        X,
        labels=np.arange(40),
        draw=lambda x, generator: x + torch.rand(x.shape, generator=generator),
    )
    one, two = reference_view(noisy, most=10), reference_view(noisy, most=10)
    assert len(one) == 10
    assert torch.equal(one.x, two.x)
    assert one.draw is None
