"""The three parts of the rate: their sum, closed forms for Gaussian codes, and the weights of their estimate."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from unwarp.core import Batch
from unwarp.errors import ConfigError
from unwarp.models import TCVAE, VAE, Net
from unwarp.models.families.tc_vae import decompose, log_shares
from unwarp.models.losses import gaussian_log_density, gaussian_rate
from unwarp.warps import Affine2d


def codes(n: int, correlation: float, sd: float = 0.5) -> tuple[Tensor, Tensor, Tensor]:
    """Posteriors (mean, log sd) whose mixture is N(0, [[1, c], [c, 1]]) but for the batch's own noise, and draws."""
    generator = torch.Generator().manual_seed(0)
    shared = torch.tensor([[1 - sd**2, correlation], [correlation, 1 - sd**2]])
    mean = torch.randn(n, 2, generator=generator) @ torch.linalg.cholesky(shared).mT
    log_sd = torch.full((n, 2), math.log(sd))
    return mean + sd * torch.randn(n, 2, generator=generator), mean, log_sd


@pytest.mark.parametrize("n_samples", [None, 10_000])
def test_the_parts_sum_to_the_rate(n_samples: int | None) -> None:
    z, mean, log_sd = codes(2000, 0.4)
    parts = decompose(z, mean, log_sd, n_samples)
    zero = torch.zeros(())
    sampled = (gaussian_log_density(z, mean, log_sd) - gaussian_log_density(z, zero, zero)).sum(-1)
    torch.testing.assert_close(
        torch.stack(list(parts.values())).sum(0), sampled, atol=1e-4, rtol=1e-4
    )
    assert float(sampled.mean()) == pytest.approx(
        float(gaussian_rate(mean, log_sd).mean()), abs=0.1
    )


@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.7])
@pytest.mark.parametrize("n_samples", [None, 100_000])
def test_closed_forms_of_gaussian_codes(correlation: float, n_samples: int | None) -> None:
    z, mean, log_sd = codes(2000, correlation)
    found = {k: float(v.mean()) for k, v in decompose(z, mean, log_sd, n_samples).items()}
    determinant = 1 - correlation**2
    assert found["total_correlation"] == pytest.approx(-0.5 * math.log(determinant), abs=0.05)
    assert found["mutual_information"] == pytest.approx(
        0.5 * math.log(determinant / 0.5**4), abs=0.1
    )
    assert found["dimension_rate"] == pytest.approx(0.0, abs=0.05)


def test_stratified_weights_sum_to_one_and_average_to_the_data_set() -> None:
    shares = log_shares(5, 20).exp()
    torch.testing.assert_close(shares.sum(1), torch.ones(5))
    torch.testing.assert_close(shares.diagonal(), torch.full((5,), 1 / 20))
    torch.testing.assert_close(log_shares(4).exp(), torch.full((4, 4), 0.25))
    torch.testing.assert_close(
        log_shares(4, 2).exp(), torch.full((4, 4), 0.25).lerp(log_shares(4, 4).exp(), 1.0)
    )


def test_at_beta_one_it_pays_the_rates_of_a_vae_and_beta_acts_on_one_term() -> None:
    net = Net("mlp", (16,), (16,))
    recipe = TCVAE(warp=Affine2d(), n_content=3, net=net, beta=1.0)
    model = recipe.build((1, 8, 8)).eval()
    posterior = model.encode(torch.rand(64, 1, 8, 8), torch.Generator().manual_seed(0))
    one = recipe.regularisers(posterior, model, 0)
    four = TCVAE(warp=Affine2d(), n_content=3, net=net, beta=4.0).regularisers(posterior, model, 0)
    torch.testing.assert_close(four.pop("total_correlation"), 4 * one["total_correlation"])
    assert all(torch.equal(four[name], one[name]) for name in four)
    plain = VAE(warp=Affine2d(), n_content=3, net=net).regularisers(posterior, model, 0)
    assert torch.equal(one["deformation_rate"], plain["deformation_rate"])
    content = one["mutual_information"] + one["total_correlation"] + one["dimension_rate"]
    assert float(content.detach()) == pytest.approx(float(plain["content_rate"].detach()), abs=0.5)


def test_one_sample_has_no_total_correlation() -> None:
    recipe = TCVAE(n_content=3, net=Net("mlp", (16,), (16,), norm=False), n_samples=10)
    (player,) = recipe.players(recipe.build((1, 8, 8)))
    terms = player.loss(
        Batch(torch.rand(1, 1, 8, 8), torch.arange(1)), 0, torch.Generator().manual_seed(0)
    )
    assert abs(float(terms["total_correlation"].detach())) < 1e-5


@pytest.mark.parametrize("wrong", [{"beta": -1.0}, {"n_samples": 0}])
def test_bad_fields_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="TCVAE"):
        TCVAE(**wrong)  # type: ignore[arg-type]
