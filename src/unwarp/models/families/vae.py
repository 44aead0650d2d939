"""The variational autoencoder `VAE`, with or without a warp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from unwarp.models.families.variational import Variational, rates
from unwarp.models.losses import gaussian_rate_per_column
from unwarp.models.model import Model
from unwarp.models.posterior import Posterior


@dataclass(frozen=True)
class VAE(Variational):
    """Variational autoencoder (Kingma and Welling 2014; Rezende, Mohamed and Wierstra 2014).

    With content code z and deformation parameters theta, training minimises

        E_q[-log p(x | z, theta)] + beta (KL(q(z | x) || N(0, I)) + KL(q(theta | x) || p(theta)))

    For `beta=1`, the default, this is minus the evidence lower bound. Use this family to estimate
    likelihoods, to generate samples from the prior, and for the uncertainty of codes.

    Attributes:
        beta: Weight of both KL terms, at least 0.
        free_bits: Least KL term of each content column, in nats: a column with a smaller KL
            divergence (mean over the batch) counts as this constant, so it gets no gradient from
            the KL term and does not collapse (Kingma et al. 2016, Improved variational inference
            with inverse autoregressive flow). 0, the default, keeps the evidence lower bound.

    Raises:
        ConfigError: A field is outside its range.

    Example:
        >>> import torch
        >>> recipe = VAE(n_content=4)
        >>> model = recipe.build((1, 8, 8)).eval()
        >>> sorted(recipe.regularisers(model.encode(torch.zeros(3, 1, 8, 8)), model, step=0))
        ['content_rate']
    """

    family: ClassVar[str] = "vae"
    beta: float = 1.0
    free_bits: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_fields(
            beta=("0 or more", self.beta >= 0), free_bits=("0 or more", self.free_bits >= 0)
        )

    @property
    def is_elbo(self) -> bool:
        """Whether the loss is the evidence lower bound itself at every step.

        True if `beta` is 1 and neither `free_bits` nor `rate_warmup` is set.
        """
        return self.beta == 1 and not self.free_bits and not self.rate_warmup

    def regularisers(self, posterior: Posterior, model: Model, step: int) -> dict[str, Tensor]:
        """The weighted KL terms of a batch.

        Args:
            posterior: Posterior of the batch (N).
            model: The model that encoded the batch; its prior over the deformation is used.
            step: Number of the training step; ignored here.

        Returns:
            `content_rate` and, if the deformation has a posterior, `deformation_rate`: KL
            divergences times `beta`, scalars in nats, means over the batch.
        """
        costs = {name: self.beta * rate.mean() for name, rate in rates(posterior, model).items()}
        if self.free_bits:
            assert posterior.content_log_sd is not None
            columns = gaussian_rate_per_column(
                posterior.content_mean, posterior.content_log_sd
            ).mean(0)
            costs["content_rate"] = self.beta * columns.clamp_min(self.free_bits).sum()
        return costs
