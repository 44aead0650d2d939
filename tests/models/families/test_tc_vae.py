"""The beta-TCVAE: the three parts of the rate, and the weights of their estimate."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from unwarp.core import Batch
from unwarp.errors import ConfigError
from unwarp.models import TCVAE, VAE, Net
from unwarp.models.families.tc_vae import decompose_rate, log_importance_weights
from unwarp.models.losses import gaussian_log_density, gaussian_rate
from unwarp.warps import Affine2d


def gaussian_codes(n: int, correlation: float, sd: float = 0.5) -> tuple[Tensor, Tensor, Tensor]:
    """Draws (n, 2), means and log sds of posteriors with a Gaussian mixture.

    Up to sampling noise the mixture is N(0, [[1, c], [c, 1]]) with correlation c.
    """
    generator = torch.Generator().manual_seed(0)
    covariance = torch.tensor([[1 - sd**2, correlation], [correlation, 1 - sd**2]])
    mean = torch.randn(n, 2, generator=generator) @ torch.linalg.cholesky(covariance).mT
    log_sd = torch.full((n, 2), math.log(sd))
    return mean + sd * torch.randn(n, 2, generator=generator), mean, log_sd


@pytest.mark.parametrize("n_samples", [None, 10_000])
def test_parts_sum_to_the_rate(n_samples: int | None) -> None:
    """For each draw the parts sum to log q(z | x) - log p(z), in the mean to the rate."""
    z, mean, log_sd = gaussian_codes(2000, 0.4)
    parts = decompose_rate(z, mean, log_sd, n_samples)
    zero = torch.zeros(())
    sampled = (gaussian_log_density(z, mean, log_sd) - gaussian_log_density(z, zero, zero)).sum(-1)
    total = torch.stack(list(parts.values())).sum(0)
    torch.testing.assert_close(total, sampled, atol=1e-4, rtol=1e-4)
    exact = float(gaussian_rate(mean, log_sd).mean())
    assert float(sampled.mean()) == pytest.approx(exact, abs=0.1)


@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.7])
@pytest.mark.parametrize("n_samples", [None, 100_000])
def test_parts_of_gaussian_codes(correlation: float, n_samples: int | None) -> None:
    """The estimates agree with the closed forms for a Gaussian mixture."""
    parts = decompose_rate(*gaussian_codes(2000, correlation), n_samples)
    means = {name: float(value.mean()) for name, value in parts.items()}
    determinant = 1 - correlation**2
    assert means["total_correlation"] == pytest.approx(-0.5 * math.log(determinant), abs=0.05)
    information = 0.5 * math.log(determinant / 0.5**4)
    assert means["mutual_information"] == pytest.approx(information, abs=0.1)
    assert means["dimension_rate"] == pytest.approx(0.0, abs=0.05)


def test_importance_weights_sum_to_one() -> None:
    """Rows sum to 1, and a stratified draw counts once in the data set."""
    weights = log_importance_weights(5, 20).exp()
    torch.testing.assert_close(weights.sum(1), torch.ones(5))
    torch.testing.assert_close(weights.diagonal(), torch.full((5,), 1 / 20))
    uniform = torch.full((4, 4), 0.25)
    torch.testing.assert_close(log_importance_weights(4).exp(), uniform)
    torch.testing.assert_close(
        log_importance_weights(4, 2).exp(), uniform.lerp(log_importance_weights(4, 4).exp(), 1.0)
    )


def test_beta_weighs_total_correlation() -> None:
    """Beta changes one term; with 1 the terms sum to the rate of a VAE."""
    net = Net("mlp", (16,), (16,))
    recipe = TCVAE(warp=Affine2d(), n_content=3, net=net, beta=1.0)
    model = recipe.build((1, 8, 8)).eval()
    posterior = model.encode(torch.rand(64, 1, 8, 8), torch.Generator().manual_seed(0))
    light = recipe.regularisers(posterior, model, 0)
    heavy_recipe = TCVAE(warp=Affine2d(), n_content=3, net=net, beta=4.0)
    heavy = heavy_recipe.regularisers(posterior, model, 0)
    torch.testing.assert_close(heavy.pop("total_correlation"), 4 * light["total_correlation"])
    assert all(torch.equal(heavy[name], light[name]) for name in heavy)
    vae = VAE(warp=Affine2d(), n_content=3, net=net).regularisers(posterior, model, 0)
    assert torch.equal(light["deformation_rate"], vae["deformation_rate"])
    content = light["mutual_information"] + light["total_correlation"] + light["dimension_rate"]
    expected = float(vae["content_rate"].detach())
    assert float(content.detach()) == pytest.approx(expected, abs=0.5)


def test_single_sample_has_no_correlation() -> None:
    """A batch of one has a total correlation of 0."""
    recipe = TCVAE(n_content=3, net=Net("mlp", (16,), (16,), norm=False), n_samples=10)
    (player,) = recipe.players(recipe.build((1, 8, 8)))
    batch = Batch(torch.rand(1, 1, 8, 8), torch.arange(1))
    terms = player.loss(batch, 0, torch.Generator().manual_seed(0))
    assert abs(float(terms["total_correlation"].detach())) < 1e-5


@pytest.mark.parametrize("fields", [{"beta": -1.0}, {"n_samples": 0}])
def test_invalid_fields_are_refused(fields: dict[str, float]) -> None:
    """The message names the family."""
    with pytest.raises(ConfigError, match="TCVAE"):
        TCVAE(**fields)  # type: ignore[arg-type]
