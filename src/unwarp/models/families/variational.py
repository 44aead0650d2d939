"""The base of variational families, their KL terms, and importance weights.

    log p(x) >= E_q[log p(x | z, theta)] - KL(q(z | x) || p(z)) - KL(q(theta | x) || p(theta))

The right side is the evidence lower bound. Its two KL divergences, in nats, are the rates: the
content rate and the deformation rate. The content code z has a Gaussian posterior and the prior
N(0, I).

theta are the parameters of the composed deformation, one column per factor of the warp, divided by
the half-ranges of the factors (half of the width between the bounds). The prior over a column of
theta is Gaussian, or uniform if the column is periodic, such as the angle of a full circle. The
posterior is a Gaussian over the raw parameters of the encoder's last stage, which
`Warp.constrain` turns into parameters of the deformation that this stage adds.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from unwarp.core import Batch
from unwarp.errors import ConfigError
from unwarp.models.likelihood import LikelihoodKind, StandardDeviation
from unwarp.models.losses import gaussian_energy, gaussian_log_density, gaussian_rate, stress
from unwarp.models.model import Model
from unwarp.models.players import Player
from unwarp.models.posterior import Posterior, StagePosterior, gaussian_columns
from unwarp.models.recipe import Recipe
from unwarp.warps import Map, Warp

MIN_LOG_DETERMINANT = -60.0
"""Least log-determinant of a Jacobian; in float32 a small determinant may be rounded to 0."""


@dataclass(frozen=True)
class Variational(Recipe):
    """Base of families with a stochastic encoder.

    A subclass defines the method `regularisers`, which returns the KL terms of its loss. Each loss
    term is summed over the features of a sample and averaged over the batch, in nats.

    Attributes:
        passes: Number of runs of the last refinement, in training mode and in evaluation mode. By
            default (1, 1), since the posterior of the deformation is that of a single run.
        likelihood: As in `Architecture`; by default Bernoulli for images and Gaussian for series.
        sigma: Standard deviation of the Gaussian likelihood; learned by default, because it sets
            the weight of the reconstruction relative to the KL terms.
        rate_warmup: Number of steps over which a factor of all regularisers rises linearly from 0
            to 1; with 0, the default, the factor is 1 from the start.
        isometry: Weight of a term that makes distances between codes equal the distances between
            their templates, as in `AE`; 0, the default, keeps the published objective.

    Raises:
        ConfigError: A field is negative, or `prior="learned"` with a chain of warps.

    Example:
        >>> from unwarp.models import VAE
        >>> recipe = VAE(n_content=2)
        >>> isinstance(recipe, Variational), recipe.stochastic
        (True, True)
    """

    stochastic: ClassVar[bool] = True
    passes: tuple[int, int] = (1, 1)
    likelihood: LikelihoodKind | str = "auto"  # type: ignore[assignment]
    sigma: StandardDeviation = "learned"
    rate_warmup: int = 0
    isometry: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_fields(
            rate_warmup=("0 or more", self.rate_warmup >= 0),
            isometry=("0 or more", self.isometry >= 0),
        )
        if self.prior == "learned" and len(self.warp.parts) > 1:
            raise ConfigError(
                f"{type(self).__name__}: prior='learned' is not possible with the chain of warps "
                f"warp={self.warp.name!r}, since only one of its warps has a posterior; set prior "
                "to a number, or use a single warp such as Affine2d()"
            )

    @property
    def is_elbo(self) -> bool:
        """Whether the loss is the evidence lower bound itself at every step.

        If so, the KL terms of the loss are the unweighted KL divergences, and the player does not
        measure them again for the history.
        """
        return False

    @abstractmethod
    def regularisers(self, posterior: Posterior, model: Model, step: int) -> dict[str, Tensor]:
        """The weighted regularisers of a batch, by name.

        Args:
            posterior: Posterior of the batch (N).
            model: The model that encoded the batch.
            step: Number of the training step, for schedules.

        Returns:
            Scalars in nats, means over the batch; their sum is added to the reconstruction loss.
        """

    def players(self, model: Model) -> tuple[Player, ...]:
        """One player, which trains the whole model.

        Args:
            model: A model that `build` of this recipe returned.

        Returns:
            A player with the name of the family. Its loss has the term `reconstruction`, the terms
            of `regularisers` and, if the weight `isometry` is not 0, a term `isometry`. Unless
            `is_elbo` is True, it also measures the unweighted KL divergences for the history.
        """

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            posterior = model.encode(batch.x, generator)
            costs = self.regularisers(posterior, model, step)
            return self._terms(batch, posterior, model, costs, step)

        def measure(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            return {name: rate.mean() for name, rate in rates(model.encode(batch.x), model).items()}

        measure_rates = None if self.is_elbo else measure
        return (Player(self.family, model, loss, self.optimiser, measure=measure_rates),)

    def _terms(
        self,
        batch: Batch,
        posterior: Posterior,
        model: Model,
        costs: dict[str, Tensor],
        step: int,
    ) -> dict[str, Tensor]:
        """The terms of the autoencoder's loss: reconstruction, weighted `costs`, and isometry."""
        templates = model.decode(posterior.content)
        x_hat, weight = model.apply_map(templates, posterior.map), self._rate_weight(step)
        terms = {name: weight * cost for name, cost in costs.items()}
        if self.isometry:
            distortion = stress(posterior.content, model.link(templates).detach())
            terms["isometry"] = self.isometry * distortion.mean()
        return {"reconstruction": model.likelihood(x_hat, batch.x).mean(), **terms}

    def _rate_weight(self, step: int) -> float:
        """The factor in [0, 1] of all regularisers at a step; see `rate_warmup`."""
        return min(1.0, step / self.rate_warmup) if self.rate_warmup else 1.0


def rates(posterior: Posterior, model: Model) -> dict[str, Tensor]:
    """KL divergences of the posteriors of content and deformation from their priors.

    The content rate is exact. The deformation rate is an approximation for small posterior standard
    deviations: the posterior of theta, in half-ranges, is taken as a Gaussian with mean
    `posterior.theta` and the standard deviations `posterior.theta_log_sd`, which count the
    derivative of `Warp.constrain`. For a single stage it is exact to first order; the derivative of
    the product with earlier stages is left out (`log_weights` counts it).
    Periodic columns, which have a uniform prior, are left out, too.

    Args:
        posterior: Posterior of a batch (N) from a stochastic encoder.
        model: The model that encoded the batch.

    Returns:
        `content_rate` and, if the deformation has a posterior, `deformation_rate`: (N,) each, in
        nats.
    """
    assert posterior.content_log_sd is not None
    content_rate = gaussian_rate(posterior.content_mean, posterior.content_log_sd)
    if posterior.theta_log_sd is None or not model.warp.factors:
        return {"content_rate": content_rate}
    log_sds, prior = posterior.theta_log_sd, model.prior
    # the last stage, the only one with a standard deviation, predicts the first columns of a chain
    scales = prior[gaussian_columns(model.warp)][: log_sds.shape[1]]
    # the KL divergence is the sum of a term of the mean and a term of the standard deviation
    spread_rate = gaussian_rate(torch.zeros_like(log_sds), log_sds, scales)
    deformation_rate = gaussian_energy(posterior.theta, prior) + spread_rate
    return {"content_rate": content_rate, "deformation_rate": deformation_rate}


@torch.no_grad()
def log_weights(
    model: Model, x: Tensor, n: int, generator: torch.Generator, chunk_size: int = 1000
) -> Tensor:
    """Log importance weights of latents sampled from the posterior.

    For a content code z and deformation parameters theta sampled from the posterior, the log weight
    is log p(x, z, theta) - log q(z, theta | x). Its mean estimates the evidence lower bound, and
    the log of the mean weight estimates log p(x) (Burda, Grosse and Salakhutdinov 2016, Importance
    weighted autoencoders); `unwarp.metrics.likelihood` computes both. The density of theta is
    exact, unlike in `rates`: it is the Gaussian density of the raw parameters, divided by the
    determinant of the Jacobian of theta with respect to them.

    Args:
        model: A trained model with a stochastic encoder, in evaluation mode.
        x: Samples (N, *shape).
        n: Number of latents per sample.
        generator: Source of random numbers.
        chunk_size: Number of samples that are encoded at once, to bound the memory.

    Returns:
        Log weights (n, N) in nats.

    Raises:
        ConfigError: The encoder is deterministic, or the posterior does not cover the whole
            deformation.
    """
    chunks = []
    for chunk in torch.split(x, chunk_size):
        chunks.append(torch.stack([_log_weight(model, chunk, generator) for _ in range(n)]))
    return torch.cat(chunks, 1)


def _log_weight(model: Model, x: Tensor, generator: torch.Generator) -> Tensor:
    """The log weights (N,) of one latent sampled per sample of `x` (N, *shape)."""
    posterior = model.encode(x, generator)
    if posterior.content_log_sd is None:
        raise ConfigError(
            "log p(x) needs a stochastic encoder; train a variational family, such as VAE"
        )
    z, zero = posterior.content, posterior.content.new_zeros(())
    log_ratio = gaussian_log_density(z, zero, zero) - gaussian_log_density(
        z, posterior.content_mean, posterior.content_log_sd
    )
    nll = torch.as_tensor(model.likelihood(model.decode_warped(z, posterior.map), x))
    return log_ratio.sum(-1) + _deformation_log_ratio(model, posterior) - nll


def _deformation_log_ratio(model: Model, posterior: Posterior) -> Tensor:
    """Log p(theta) - log q(theta | x) for the sampled theta, (N,); 0 without a warp."""
    # theta does not depend on a column without a range, so its raw number is not a latent
    factors = model.warp.factors
    columns = [i for i, f in enumerate(factors) if f.half_range > 0 and not f.discrete]
    if not columns:
        return posterior.content.new_zeros(len(posterior.content))
    stage, earlier_map = _stochastic_stage(model, posterior)
    assert stage.log_sd is not None
    theta, jacobian = _theta_with_jacobian(model.warp, earlier_map, stage, columns)
    log_determinant = torch.linalg.slogdet(jacobian).logabsdet.clamp_min(MIN_LOG_DETERMINANT)
    raw = stage.raw.detach()
    log_q = gaussian_log_density(raw, stage.mean, stage.log_sd)[:, columns].sum(-1)
    log_p = gaussian_log_density(theta, theta.new_zeros(()), model.log_prior[columns])
    is_periodic = [factors[i].periodic for i in columns]
    # in half-ranges a factor ranges from -1 to 1, so its uniform density is 1/2
    log_p = log_p.masked_fill(torch.tensor(is_periodic, device=theta.device), -math.log(2))
    # the search chooses a discrete column; each of its two values has the probability 1/2
    log_p_chosen = -math.log(2) * sum(factor.discrete for factor in factors)
    log_ratio = log_p.sum(-1) + log_p_chosen - (log_q - log_determinant)
    return torch.as_tensor(log_ratio).detach()


def _stochastic_stage(model: Model, posterior: Posterior) -> tuple[StagePosterior, Map]:
    """The last stage of the encoder, and the composed map of the start and the earlier stages.

    Raises:
        ConfigError: This stage does not give a density over all columns of theta.
    """
    stage, earlier_map = posterior.last_stage, posterior.earlier_map
    if (
        stage is None
        or earlier_map is None
        or stage.log_sd is None
        or len(stage.warp.factors) != sum(not factor.discrete for factor in model.warp.factors)
    ):
        raise ConfigError(
            "log p(x) needs a distribution over the whole deformation, and this encoder with "
            f"warp={model.warp.name!r} has none or covers only a part of it; use a single warp, "
            "such as Affine2d, and at least one stage (start='learned' or refinements=1)"
        )
    start = getattr(model.encoder, "start", None)
    if start is not None and start.kind != "learned":
        raise ConfigError(
            f"log p(x) cannot be computed with start={start.kind!r}, a function of x that has no "
            "prior; train a model with start='learned'"
        )
    return stage, earlier_map


def _theta_with_jacobian(
    warp: Warp, earlier_map: Map, stage: StagePosterior, columns: list[int]
) -> tuple[Tensor, Tensor]:
    """Theta of the composed deformation, and its derivatives by the raw parameters of a stage.

    Args:
        warp: The family of deformations.
        earlier_map: Composed deformation of the start and the earlier stages, N maps.
        stage: Posterior of the last stage; its raw parameters `stage.raw` (N, P) are used.
        columns: Numbers of the K columns of theta to use.

    Returns:
        Theta in half-ranges (N, K), and its Jacobian matrices (N, K, K), rows by column of theta.
    """
    half_ranges = torch.tensor([warp.factors[i].half_range for i in columns]).to(stage.raw)
    with torch.enable_grad():
        raw = stage.raw.detach().requires_grad_()
        last_map = stage.warp.map(stage.warp.constrain(raw))
        theta = warp.theta(earlier_map.compose(last_map))[:, columns] / half_ranges
        rows = [
            torch.autograd.grad(column.sum(), raw, retain_graph=True)[0][:, columns]
            for column in theta.unbind(1)
        ]
    return theta, torch.stack(rows, 1)
