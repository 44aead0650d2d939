"""`evaluate`: scores by family and data set, and the missing inputs of the remaining ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from unwarp.analysis.scoring import evaluate, posterior_inputs
from unwarp.core import Factor
from unwarp.data.dataset import Dataset
from unwarp.data.samples import reference_view
from unwarp.errors import ConfigError, UnwarpError
from unwarp.models import AE, VAE, Net
from unwarp.warps import Affine2d, Chain, Displacement2d, Identity

SMALL = Net("mlp", (16,), (16,))
X = torch.rand(40, 1, 10, 10, generator=torch.Generator().manual_seed(0)).round()


def data(**columns: object) -> Dataset:
    """40 binary pictures with further columns."""
    return Dataset(X, **columns)  # type: ignore[arg-type]


def test_deterministic_has_no_posterior() -> None:
    """It has no posterior inputs; their scores are listed with the missing inputs."""
    model = AE(warp=Affine2d(), n_content=3, net=SMALL).build((1, 10, 10))
    assert posterior_inputs(model, X, 5).names() == ()
    report = evaluate(model, data())
    assert "log_weights" in report.missing["log_likelihood"]
    assert "labels" in report.missing["neighbours"]
    assert {"reconstruction_error", "at_bounds", "follow_deg"} <= set(report.scores)


def test_log_likelihood_needs_draws() -> None:
    """log p(x) is a score if there are draws."""
    model = VAE(warp=Affine2d(), n_content=3, net=SMALL).build((1, 10, 10))
    assert "log_likelihood" in evaluate(model, data()).missing
    scores = evaluate(model, data(), draws=8).scores
    assert scores["elbo"] < scores["log_likelihood"] < 0
    assert scores["content_rate"] > 0


def test_draws_need_density() -> None:
    """Draws of a deformation without density are refused."""
    model = VAE(warp=Chain(Displacement2d(3), Affine2d()), n_content=3, net=SMALL).build(
        (1, 10, 10)
    )
    with pytest.raises(ConfigError, match="distribution over the whole deformation"):
        evaluate(model, data(), draws=2)


def test_factors_need_two_that_vary() -> None:
    """Factors are scored if two of them vary."""
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


def test_reference_view_is_bounded() -> None:
    """A reference view is drawn once, with a bounded number of rows."""
    noisy = Dataset(
        X,
        labels=np.arange(40),
        draw=lambda x, generator: x + torch.rand(x.shape, generator=generator),
    )
    one, two = reference_view(noisy, max_samples=10), reference_view(noisy, max_samples=10)
    assert len(one) == 10
    assert torch.equal(one.x, two.x)
    assert one.draw is None


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("draws", (-1, 1.5, None, 10**12)),
        ("only", ("explained", ("no such",), None, [3])),
        ("reference", (3, np.zeros(3))),
        ("cluster_centers", (3.0, np.zeros((2, 9)), np.full((2, 3), np.nan))),
    ],
)
def test_other_arguments_are_refused(name: str, values: tuple[Any, ...]) -> None:
    """Names of scores, numbers of draws, a data set, and codes of the model."""
    data = Dataset(torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
    model = AE(n_content=3, net=Net("mlp", (8,), (8,))).build(data.shape)
    for value in values:
        with pytest.raises(UnwarpError, match=rf"^{name}.*; give "):
            evaluate(model, data, **{name: value})
