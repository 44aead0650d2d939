"""The beta-VAE and its capacity form, with or without a warp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from unwarp.models.families.variational import Variational, rates
from unwarp.models.model import Model
from unwarp.models.posterior import Posterior
from unwarp.models.schedules import ramp


@dataclass(frozen=True)
class BetaVAE(Variational):
    """beta-VAE (Higgins et al. 2017), optionally with a capacity (Burgess 2018).

    With R the rate of the content, the mean of KL(q(z | x) || N(0, I)) over the batch, training
    minimises

        E_q[-log p(x | z, theta)] + beta (R - epsilon) + KL(q(theta | x) || p(theta))
        E_q[-log p(x | z, theta)] + gamma |R - C(t)|   + KL(q(theta | x) || p(theta))

    The second form applies if `capacity` is set; C(t) then rises linearly from 0 to `capacity` over
    `capacity_steps` steps. The weight acts on the content alone: columns of the deformation have a
    fixed meaning and need no pressure to disentangle. Without a warp both forms are the published
    ones. A greater `beta` separates factors more and blurs reconstructions more; a capacity says
    how many nats the code may keep.

    Attributes:
        beta: Weight of the content's rate, at least 0; 1 gives the evidence lower bound.
        epsilon: Constant of the published constraint `R < epsilon`, in nats. It shifts the loss
            and has no gradient, so it does not change the trained model.
        capacity: Nats at which the rate of the content is held; None for the first form.
        capacity_steps: Steps over which the capacity rises from 0.
        gamma: Weight of the distance of the rate from the capacity, at least 0.

    Raises:
        ConfigError: A field is negative.

    Example:
        >>> import torch
        >>> recipe = BetaVAE(n_content=4, capacity=2.0, capacity_steps=100, gamma=10.0)
        >>> model = recipe.build((1, 8, 8)).eval()
        >>> posterior = model.encode(torch.zeros(3, 1, 8, 8))
        >>> cost = recipe.regularisers(posterior, model, step=100)["content_rate"]
        >>> rate = rates(posterior, model)["content_rate"].mean()
        >>> bool(torch.isclose(cost, 10.0 * (rate - 2.0).abs()))
        True
    """

    family: ClassVar[str] = "beta-vae"
    beta: float = 4.0
    epsilon: float = 0.0
    capacity: float | None = None
    capacity_steps: int = 500
    gamma: float = 100.0

    def __post_init__(self) -> None:
        super().__post_init__()
        names = ("beta", "epsilon", "gamma", "capacity_steps", "capacity")
        self.check_fields(
            **{name: ("0 or more", (getattr(self, name) or 0) >= 0) for name in names}
        )

    def regularisers(self, posterior: Posterior, model: Model, step: int) -> dict[str, Tensor]:
        """The weighted content rate and the plain deformation rate of a batch.

        Args:
            posterior: Posterior of the batch (N).
            model: The model that gave it.
            step: Number of the training step, which sets the capacity C(t).

        Returns:
            `content_rate` and, if the encoder samples the deformation, `deformation_rate`: scalars
            in nats, means over the batch.
        """
        costs = {name: rate.mean() for name, rate in rates(posterior, model).items()}
        rate = costs["content_rate"]
        if self.capacity is None:
            return costs | {"content_rate": self.beta * (rate - self.epsilon)}
        excess = rate - ramp(0.0, self.capacity, self.capacity_steps)(step)
        return costs | {"content_rate": self.gamma * excess.abs()}
