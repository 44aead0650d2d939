"""What variational families share: the evidence lower bound, its two terms, and importance weights.

`log p(x) >= E_q log p(x | z, theta) - KL(q(z) || N(0, 1)) - KL(q(theta) || p(theta))`: content is Gaussian, and so is
the deformation's last rung around the composed deformation, in half-ranges. Periodic columns have a uniform prior.
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
from unwarp.models.encoders import Posterior
from unwarp.models.likelihood import LikelihoodKind, Scale
from unwarp.models.losses import gaussian_energy, gaussian_log_density, gaussian_rate, stress
from unwarp.models.model import Model
from unwarp.models.players import Player
from unwarp.models.recipe import Recipe


@dataclass(frozen=True)
class Variational(Recipe):
    """A recipe whose encoder gives distributions; all terms in nats, summed over features, mean over the batch.

    Attributes:
        passes: One pass of the last rung, in training and in use: a rung that is drawn from once has one posterior.
        rate_warmup: Steps over which the weight of the pressure on the rates rises from 0 to 1.
        isometry: Weight of a term that makes distances between codes those between their templates, as in `AE`; 0 for none,
            which alone is the published objective.
    """

    stochastic: ClassVar[bool] = True
    passes: tuple[int, int] = (1, 1)
    likelihood: LikelihoodKind | str = "auto"  # type: ignore[assignment]
    sigma: Scale = "learned"
    rate_warmup: int = 0
    isometry: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("rate_warmup", "isometry"):
            if getattr(self, name) < 0:
                raise ConfigError(
                    f"{type(self).__name__}: {name} must be 0 or more, got {getattr(self, name)!r}"
                )
        if self.prior == "learned" and len(self.warp.parts) > 1:
            raise ConfigError(
                f"{type(self).__name__}: prior='learned' needs a warp of one family, got {self.warp.name!r}; in a chain only "
                "the last rung has a spread to learn from"
            )

    @property
    def is_elbo(self) -> bool:
        """Whether the rates stand in the loss as they are, so that the history need not hold them twice."""
        return False

    @abstractmethod
    def regularisers(self, posterior: Posterior, model: Model, step: int) -> dict[str, Tensor]:
        """What the posterior costs, by name, as scalars."""

    def players(self, model: Model) -> tuple[Player, ...]:
        """One player that moves the whole model; the history holds the rates beside what they cost."""

        def loss(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            posterior = model.encode(batch.x, generator)
            templates = model.decode(posterior.content)
            drawn = model.apply_map(templates, posterior.map)
            weight = min(1.0, step / self.rate_warmup) if self.rate_warmup else 1.0
            costs = self.regularisers(posterior, model, step)
            terms = {name: weight * cost for name, cost in costs.items()}
            if self.isometry:
                terms["isometry"] = (
                    self.isometry * stress(posterior.content, model.link(templates).detach()).mean()
                )
            return {"reconstruction": model.likelihood(drawn, batch.x).mean(), **terms}

        def measure(batch: Batch, step: int, generator: torch.Generator) -> dict[str, Tensor]:
            return {name: rate.mean() for name, rate in rates(model.encode(batch.x), model).items()}

        return (
            Player(
                self.family, model, loss, self.optimiser, measure=None if self.is_elbo else measure
            ),
        )


def rates(posterior: Posterior, model: Model) -> dict[str, Tensor]:
    """KL of content and of the deformation from their priors in nats, (N,) each, by their closed forms.

    Exact for content. For the deformation to first order in its spread: the last rung is taken to be Gaussian in the
    chart, about the composed mean.
    """
    assert posterior.content_log_sd is not None
    found = {"content_rate": gaussian_rate(posterior.content_mean, posterior.content_log_sd)}
    if posterior.theta_log_sd is None or not model.warp.factors:
        return found
    sds, prior = posterior.theta_log_sd, model.prior
    free = [i for i, factor in enumerate(model.warp.factors) if not factor.periodic]
    spread = gaussian_rate(torch.zeros_like(sds), sds, prior[free][: sds.shape[1]])
    return found | {"deformation_rate": gaussian_energy(posterior.theta, prior) + spread}


@torch.no_grad()
def log_weights(
    model: Model, x: Tensor, n: int, generator: torch.Generator, size: int = 1000
) -> Tensor:
    """Importance weights log p(x, z, theta) - log q(z, theta | x) of `n` draws for samples `x` (N, *shape), (n, N).

    Their mean over draws is the evidence lower bound, the log of their mean exponential estimates log p(x) (Burda,
    Grosse and Salakhutdinov 2016, Importance weighted autoencoders). Exact: the density of the drawn deformation
    carries the Jacobian of the chart. Memory is bounded by `size` samples at a time.

    Raises:
        ConfigError: The encoder is deterministic, wholly or in a part of the deformation.
    """
    pieces = []
    for part in torch.split(x, size):
        pieces.append(torch.stack([_log_weight(model, part, generator) for _ in range(n)]))
    return torch.cat(pieces, 1)


def _log_weight(model: Model, x: Tensor, generator: torch.Generator) -> Tensor:
    posterior = model.encode(x, generator)
    if posterior.content_log_sd is None:
        raise ConfigError("log p(x) needs a stochastic encoder; train a VAE or a BetaVAE")
    z, zero = posterior.content, posterior.content.new_zeros(())
    ratio = gaussian_log_density(z, zero, zero) - gaussian_log_density(
        z, posterior.content_mean, posterior.content_log_sd
    )
    nll = torch.as_tensor(model.likelihood(model.decode_warped(z, posterior.map), x))
    return ratio.sum(-1) + _deformation_ratio(model, posterior) - nll


def _deformation_ratio(model: Model, posterior: Posterior) -> Tensor:
    """Log p(theta) - log q(theta | x) of the drawn deformation, both over the chart in half-ranges, (N,)."""
    stage, before, factors = posterior.stage, posterior.before, model.warp.factors
    if not factors:
        return posterior.content.new_zeros(len(posterior.content))
    if (
        stage is None
        or before is None
        or stage.log_sd is None
        or len(stage.warp.factors) != len(factors)
    ):
        raise ConfigError(
            f"log p(x) needs a distribution over the whole deformation; {model.warp.name!r} draws its last part alone: "
            "use one family, such as Affine2d, and at least one rung"
        )
    start = getattr(model.encoder, "start", None)
    if start is not None and start.kind != "learned":
        raise ConfigError(
            f"log p(x) needs start='learned'; {start.kind!r} is a function of x that has no prior"
        )
    half = torch.tensor([f.half_range for f in factors]).to(stage.raw)
    with torch.enable_grad():
        raw = stage.raw.detach().requires_grad_()
        u = model.warp.theta(before.compose(stage.warp.map(stage.warp.constrain(raw)))) / half
        jacobian = torch.stack(
            [torch.autograd.grad(c.sum(), raw, retain_graph=True)[0] for c in u.unbind(1)], 1
        )
    # float32 has no slope left where a bound is all but reached; the true one is small, not 0
    stretch = torch.linalg.slogdet(jacobian).logabsdet.clamp_min(-60.0)
    q = gaussian_log_density(raw, stage.mean, stage.log_sd).sum(-1) - stretch
    flat = torch.tensor([f.periodic for f in factors], device=u.device)
    normal = gaussian_log_density(u, u.new_zeros(()), model.log_prior)
    return torch.as_tensor(normal.masked_fill(flat, -math.log(2)).sum(-1) - q).detach()
