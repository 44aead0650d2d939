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

    Let z be the content code, theta the deformation parameters, and R the mean over the batch of
    the KL divergence KL(q(z | x) || N(0, I)), called the content rate. With `capacity=None`
    training minimises the first loss, with a capacity the second:

        E_q[-log p(x | z, theta)] + beta (R - epsilon) + KL(q(theta | x) || p(theta))
        E_q[-log p(x | z, theta)] + gamma |R - C(t)|   + KL(q(theta | x) || p(theta))

    C(t) rises linearly from 0 to `capacity` over `capacity_steps` steps t. `beta` and `gamma` act
    on the content code only. The columns of theta have a fixed meaning, such as an angle, so they
    need not be disentangled. Without a warp both losses equal the published ones. A greater `beta`
    separates factors more and blurs reconstructions more. A capacity sets the number of nats of
    information in the code.

    Attributes:
        beta: Weight of the content rate, at least 0; 1 gives the evidence lower bound.
        epsilon: Bound of the published constraint `R < epsilon`, in nats. It is a constant in the
            loss, so it does not change the trained model.
        capacity: Value in nats to which the content rate is pulled; None for the first loss.
        capacity_steps: Number of steps over which C(t) rises from 0 to `capacity`.
        gamma: Weight of |R - C(t)|, at least 0.

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
        """The weighted content term and the unweighted deformation term of a batch.

        Args:
            posterior: Posterior of the batch (N).
            model: The model that encoded the batch.
            step: Number t of the training step, which determines C(t).

        Returns:
            `content_rate`, the term with `beta` or `gamma` of the loss, and, if the deformation has
            a posterior, `deformation_rate`, its KL divergence: scalars in nats, means over the
            batch.
        """
        costs = {name: rate.mean() for name, rate in rates(posterior, model).items()}
        rate = costs["content_rate"]
        if self.capacity is None:
            return costs | {"content_rate": self.beta * (rate - self.epsilon)}
        excess = rate - ramp(0.0, self.capacity, self.capacity_steps)(step)
        return costs | {"content_rate": self.gamma * excess.abs()}
