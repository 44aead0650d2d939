"""Samples decoded from latents: templates, reconstructions and new samples.

The latents of a sample are its content code and its deformation. Its template is the sample with
its deformation removed; theta are the parameters of the deformation.
"""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from unwarp.analysis.mixture import Mixture
from unwarp.analysis.tables import theta_from_table
from unwarp.core import Array, LatentDensity
from unwarp.data.numbers import real_numbers
from unwarp.data.schema import Schema
from unwarp.data.working_size import resize
from unwarp.devices import float32_gradients
from unwarp.errors import ConfigError, DataError
from unwarp.models.latent import Latent
from unwarp.models.model import Model
from unwarp.models.recipe import Recipe
from unwarp.ranges import SAMPLE_COUNT, Seed, check_value
from unwarp.warps import Map


class Generation:
    """Mixin that gives `Unwarper` the methods that decode latents into samples.

    Samples have the range of the training data. Only with `scale="each"`, which standardises each
    series by itself, they stay standardised.

    >>> import numpy as np
    >>> from unwarp import Unwarper
    >>> X = np.random.default_rng(0).normal(size=(8, 12))
    >>> unwarper = Unwarper("time", max_steps=1, n_clusters=2).fit(X)
    >>> unwarper.sample(3).shape, unwarper.cluster_templates_.shape
    ((3, 1, 12), (2, 1, 12))
    """

    model_: Model
    recipe_: Recipe
    schema_: Schema
    mixture_: Mixture
    cluster_centers_: Array

    def inverse_transform(self, Z: Any, params: Any = None) -> Array:
        """Samples decoded from content codes, with or without deformations.

        Args:
            Z: Content codes (N, D), as `transform` returns them.
            params: Deformations to apply: the table of `transform_params(..., full=True)`, or an
                array (N, P) with its columns. Affine warps also accept the table of summary
                columns (`full=False`). None for templates, which are not deformed.

        Returns:
            Samples (N, C, ...), float32.

        Raises:
            DataError: `Z` does not have D columns, `params` has wrong rows or columns, one of them
                has values that are not finite real numbers, or a scale is not positive.
        """
        check_is_fitted(self)
        content = torch.from_numpy(real_numbers("Z", Z, finite=True)).float()
        if content.ndim != 2 or content.shape[1] != self.model_.n_content:
            raise DataError(
                f"Z has shape {tuple(content.shape)}; "
                f"give codes of shape (N, {self.model_.n_content})"
            )
        map = None
        if params is not None:
            chart = self.model_.chart.with_size(self.schema_.user_shape[1:])
            map = chart.map(theta_from_table(params, chart, len(content)))
        return np.asarray(self.schema_.scaler.undo(self._decode(content, map).numpy()))

    @float32_gradients()
    def sample(self, n: int = 1, *, source: LatentDensity = "auto", random_state: int = 0) -> Array:
        """New samples, decoded from random content codes and deformations.

        Args:
            n: Number of samples.
            source: Distribution of the latents: `prior` for the prior of a generative family (such
                as `vae`), `mixture` for the Gaussian mixture `mixture_`, which is fitted to the
                latents of the training samples; `auto` for the prior if the family has one, else
                the mixture.
            random_state: Seed of the random latents.

        Returns:
            Samples (n, C, ...), float32.

        Raises:
            ConfigError: `n` is not a whole number of at least 1, `random_state` is not one from 0
                to 2**32 - 1, `source` is unknown, or the family has no prior.
        """
        check_is_fitted(self)
        check_value("n", n, SAMPLE_COUNT)
        check_value("random_state", random_state, Seed(can_be_state=False))
        self._check_source(source)
        if source == "mixture" or not self.recipe_.generative:
            latents = torch.from_numpy(self.mixture_.sample(n, random_state)).float()
            sizes = [self.model_.n_content, len(self.model_.warp.factors)]
            content, theta = torch.split(latents, sizes, -1)
            samples = self._decode(content, self.model_.chart.map(theta))
        else:
            with torch.no_grad():
                x = self.model_.eval().sample(n, torch.Generator().manual_seed(random_state))
            samples = resize(x, self.schema_.user_shape[1:])
        return np.asarray(self.schema_.scaler.undo(samples.numpy()))

    @property
    def cluster_templates_(self) -> Array:
        """Templates (n_clusters, C, ...), decoded from the centres of the clusters."""
        return self.inverse_transform(self.cluster_centers_)

    def _check_source(self, source: str) -> None:
        """Check the name of the distribution of samples."""
        if source not in get_args(LatentDensity):
            raise ConfigError(
                f"source={source!r} is unknown; choose one of {', '.join(get_args(LatentDensity))}"
            )
        if source == "prior" and not self.recipe_.generative:
            raise ConfigError(
                f"source='prior' needs a generative family, and {self.recipe_.family!r} has no "
                "prior over content; use source='mixture'"
            )

    @torch.no_grad()
    def _decode(self, content: Tensor, map: Map | None) -> Tensor:
        """Samples of content codes at the user's size, scaled.

        Args:
            content: Content codes (N, D), on the CPU.
            map: N deformations; None for templates.

        Returns:
            Samples (N, C, ...).
        """
        model, size = self.model_.to("cpu"), self.schema_.user_shape[1:]
        if map is None:
            return resize(model.template(content), size)
        return resize(model.reconstruct(Latent(content, map)), size)
