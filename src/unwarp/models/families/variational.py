"""The base of variational families, their KL terms, and importance weights.

    log p(x) >= E_q[log p(x | z, theta)] - KL(q(z | x) || p(z)) - KL(q(theta | x) || p(theta))

Content z has a Gaussian posterior and the prior N(0, I). The posterior of the deformation theta is
Gaussian in the parameters of the last encoder stage; its prior is Gaussian over the composed
deformation in half-ranges, and uniform for periodic columns such as an angle.
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
from unwarp.models.posterior import Posterior, StagePosterior
from unwarp.models.recipe import Recipe
from unwarp.warps import Map, Warp

MIN_LOG_STRETCH = -60.0
"""Least log-determinant of a chart; near a bound float32 rounds the small true slope to 0."""


@dataclass(frozen=True)
class Variational(Recipe):
    """Base of families with a stochastic encoder.

    A subclass says with `regularisers` how the KL terms enter the loss. All terms are in nats,
    summed over features, means over the batch.

    Attributes:
        passes: Passes of the last encoder stage, in training and in use. It is sampled once, so
            that it has one posterior: (1, 1).
        likelihood: As in `Architecture`; by default Bernoulli for pictures and Gaussian for series.
        sigma: Standard deviation of the Gaussian likelihood; learned by default, so that it need
            not be tuned against the KL terms.
        rate_warmup: Steps over which the weight of the regularisers rises linearly from 0 to 1; 0,
            the default, for the full weight at once.
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
                f"{type(self).__name__}: prior='learned' needs a warp of one family, got "
                f"{self.warp.name!r}; only the last part of a chain has a posterior to learn from, "
                "so give a number, or a warp such as Affine2d()"
            )

    @property
    def is_elbo(self) -> bool:
        """Whether the loss is the evidence lower bound itself at every step.

        The loss terms then are the rates, and the history does not record them a second time.
        """
        return False

    @abstractmethod
    def regularisers(self, posterior: Posterior, model: Model, step: int) -> dict[str, Tensor]:
        """The weighted regularisers of a batch, by name.

        Args:
            posterior: Posterior of the batch (N).
            model: The model that gave it.
            step: Number of the training step, for schedules.

        Returns:
            Scalars in nats, means over the batch; their sum is added to the reconstruction loss.
        """

    def players(self, model: Model) -> tuple[Player, ...]:
        """One player, which trains the whole model.

        Args:
            model: A model that `build` of this recipe returned.

        Returns:
            A player with the name of the family. Its loss has the terms `reconstruction`, those of
            `regularisers` and, if its weight is not 0, `isometry`. Unless `is_elbo`, it also
            measures the unweighted rates for the history.
        """

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            posterior = model.encode(batch.x, generator)
            templates = model.decode(posterior.content)
            x_hat = model.apply_map(templates, posterior.map)
            costs, weight = self.regularisers(posterior, model, step), self._rate_weight(step)
            terms = {name: weight * cost for name, cost in costs.items()}
            if self.isometry:
                distortion = stress(posterior.content, model.link(templates).detach())
                terms["isometry"] = self.isometry * distortion.mean()
            return {"reconstruction": model.likelihood(x_hat, batch.x).mean(), **terms}

        def measure(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            return {name: rate.mean() for name, rate in rates(model.encode(batch.x), model).items()}

        measure_rates = None if self.is_elbo else measure
        return (Player(self.family, model, loss, self.optimiser, measure=measure_rates),)

    def _rate_weight(self, step: int) -> float:
        """Weight of the regularisers at a step, in [0, 1]."""
        return min(1.0, step / self.rate_warmup) if self.rate_warmup else 1.0


def rates(posterior: Posterior, model: Model) -> dict[str, Tensor]:
    """KL divergences of content and deformation from their priors.

    The rate of the content is exact. That of the deformation is exact to first order in its
    spread: the posterior counts as Gaussian around the composed mean, in half-ranges. Periodic
    columns are left out, as their prior is uniform.

    Args:
        posterior: Posterior of a batch (N) from a stochastic encoder.
        model: The model that gave it.

    Returns:
        `content_rate` and, if the encoder samples the deformation, `deformation_rate`: (N,) each,
        in nats.
    """
    assert posterior.content_log_sd is not None
    content_rate = gaussian_rate(posterior.content_mean, posterior.content_log_sd)
    if posterior.theta_log_sd is None or not model.warp.factors:
        return {"content_rate": content_rate}
    log_sds, prior = posterior.theta_log_sd, model.prior
    is_gaussian = [i for i, factor in enumerate(model.warp.factors) if not factor.periodic]
    scales = prior[is_gaussian][: log_sds.shape[1]]
    # only the last stage has a spread; in a chain it predicts the first columns
    spread_rate = gaussian_rate(torch.zeros_like(log_sds), log_sds, scales)
    deformation_rate = gaussian_energy(posterior.theta, prior) + spread_rate
    return {"content_rate": content_rate, "deformation_rate": deformation_rate}


@torch.no_grad()
def log_weights(
    model: Model, x: Tensor, n: int, generator: torch.Generator, chunk_size: int = 1000
) -> Tensor:
    """Log importance weights of draws from the posterior.

    The log weight of a draw is log p(x, z, theta) - log q(z, theta | x). The mean over draws is the
    evidence lower bound, and the log of the mean weight estimates log p(x) (Burda, Grosse and
    Salakhutdinov 2016, Importance weighted autoencoders). The weights are exact: the density of a
    drawn deformation includes the Jacobian of the chart. The functions of
    `unwarp.metrics.likelihood` turn them into bounds.

    Args:
        model: A trained model with a stochastic encoder, in evaluation mode.
        x: Samples (N, *shape).
        n: Number of draws for each sample.
        generator: Generator of the draws.
        chunk_size: Samples encoded at once, which bounds the memory.

    Returns:
        Log weights (n, N) in nats.

    Raises:
        ConfigError: The encoder is deterministic, wholly or in a part of the deformation.
    """
    chunks = []
    for chunk in torch.split(x, chunk_size):
        chunks.append(torch.stack([_log_weight(model, chunk, generator) for _ in range(n)]))
    return torch.cat(chunks, 1)


def _log_weight(model: Model, x: Tensor, generator: torch.Generator) -> Tensor:
    """The log weights (N,) of one draw for each sample `x` (N, *shape)."""
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
    """Log p(theta) - log q(theta | x) of drawn deformations in half-ranges, (N,)."""
    factors = model.warp.factors
    if not factors:
        return posterior.content.new_zeros(len(posterior.content))
    stage, before = _stochastic_stage(model, posterior)
    assert stage.log_sd is not None
    theta, jacobian = _chart(model.warp, before, stage)
    log_stretch = torch.linalg.slogdet(jacobian).logabsdet.clamp_min(MIN_LOG_STRETCH)
    raw = stage.raw.detach()
    log_q = gaussian_log_density(raw, stage.mean, stage.log_sd).sum(-1) - log_stretch
    log_p = gaussian_log_density(theta, theta.new_zeros(()), model.log_prior)
    is_periodic = torch.tensor([f.periodic for f in factors], device=theta.device)
    # a uniform density over a range of two half-ranges is 1/2
    log_p = log_p.masked_fill(is_periodic, -math.log(2)).sum(-1)
    return torch.as_tensor(log_p - log_q).detach()


def _stochastic_stage(model: Model, posterior: Posterior) -> tuple[StagePosterior, Map]:
    """The last stage of the encoder and the map before it, if together they have a density."""
    stage, before = posterior.last_stage, posterior.earlier_map
    if (
        stage is None
        or before is None
        or stage.log_sd is None
        or len(stage.warp.factors) != len(model.warp.factors)
    ):
        raise ConfigError(
            "log p(x) needs a distribution over the whole deformation, and with the warp "
            f"{model.warp.name!r} this encoder has none or covers only the last part; use one "
            "family, such as Affine2d, and at least one stage (start='learned' or refinements=1)"
        )
    start = getattr(model.encoder, "start", None)
    if start is not None and start.kind != "learned":
        raise ConfigError(
            f"log p(x) needs start='learned'; start={start.kind!r} is a function of x and has no "
            "prior"
        )
    return stage, before


def _chart(warp: Warp, before: Map, stage: StagePosterior) -> tuple[Tensor, Tensor]:
    """The composed theta in half-ranges (N, P), and its Jacobian (N, P, P) by the stage's draw."""
    half_ranges = torch.tensor([f.half_range for f in warp.factors]).to(stage.raw)
    with torch.enable_grad():
        raw = stage.raw.detach().requires_grad_()
        step = stage.warp.map(stage.warp.constrain(raw))
        theta = warp.theta(before.compose(step)) / half_ranges
        rows = [
            torch.autograd.grad(column.sum(), raw, retain_graph=True)[0]
            for column in theta.unbind(1)
        ]
    return theta, torch.stack(rows, 1)
