"""beta-VAE (Higgins et al. 2017) and its capacity form (Burgess et al. 2018), with or without a warp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from unwarp.errors import ConfigError
from unwarp.models.encoders import Posterior
from unwarp.models.families.variational import Variational, rates
from unwarp.models.model import Model
from unwarp.models.schedules import ramp


@dataclass(frozen=True)
class BetaVAE(Variational):
    """VAE under pressure: `beta (KL - epsilon)`, or `gamma |KL - C(t)|` where a capacity is given.

    The pressure is on the content code alone; the deformation, whose columns are named beforehand, pays its plain rate.
    Without a warp both are the published objectives.

    Attributes:
        beta: Weight of the content's rate; 1 gives the evidence lower bound.
        epsilon: Constant of the published constraint `KL < epsilon`, in nats. It shifts the objective and has no gradient:
            it never acts on what is learned. What holds a rate at a value is the capacity.
        capacity: Nats that the content's rate is held at; None for the beta form.
        capacity_steps: Steps over which the capacity rises from 0.
        gamma: Weight of the distance from the capacity.
    """

    family: ClassVar[str] = "beta-vae"
    beta: float = 4.0
    epsilon: float = 0.0
    capacity: float | None = None
    capacity_steps: int = 500
    gamma: float = 100.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("beta", "epsilon", "gamma", "capacity_steps", "capacity"):
            if (getattr(self, name) or 0) < 0:
                raise ConfigError(f"BetaVAE: {name} must be 0 or more, got {getattr(self, name)!r}")

    def regularisers(self, posterior: Posterior, model: Model, step: int) -> dict[str, Tensor]:
        costs = {name: rate.mean() for name, rate in rates(posterior, model).items()}
        rate = costs["content_rate"]
        if self.capacity is None:
            return costs | {"content_rate": self.beta * (rate - self.epsilon)}
        gap = rate - ramp(0.0, self.capacity, self.capacity_steps)(step)
        return costs | {"content_rate": self.gamma * gap.abs()}
