"""Samples decoded from latents: templates, reconstructions and new samples.

The latents of a sample are its content code and its deformation. Its template is the sample with
its deformation removed; theta are the parameters of the deformation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from unwarp.analysis.embedding import encode
from unwarp.analysis.mixture import Mixture
from unwarp.analysis.tables import theta_from_table
from unwarp.core import Array, LatentDensity
from unwarp.data.irregular_series import IrregularSeries
from unwarp.data.numbers import real_numbers
from unwarp.data.schema import Prepared
from unwarp.data.working_size import resize_smoothly
from unwarp.devices import float32_gradients
from unwarp.errors import ConfigError, DataError
from unwarp.estimators.alignment import Alignment
from unwarp.estimators.feature_columns import BASES, Columns
from unwarp.estimators.feature_names import check_feature_names, columns_in_order
from unwarp.models.distilled import FastLoss
from unwarp.models.latent import Latent
from unwarp.models.recipe import Recipe
from unwarp.range_kinds import Choice, Seed
from unwarp.ranges import SAMPLE_COUNT, check_value
from unwarp.warps import Map


class Generation(Alignment):
    """Mixin that gives `Unwarper` the methods that decode latents into samples.

    Samples have the range of the training data. Only with `scale="each"` or `"level"`,
    which scale each series by itself, they stay standardised.

    >>> import numpy as np
    >>> from unwarp import Unwarper
    >>> X = np.random.default_rng(0).normal(size=(8, 12))
    >>> unwarper = Unwarper("time", max_steps=1, n_clusters=2).fit(X)
    >>> unwarper.sample(3).shape, unwarper.cluster_templates_.shape
    ((3, 1, 12), (2, 1, 12))
    """

    recipe_: Recipe
    mixture_: Mixture
    cluster_centers_: Array
    columns_: Columns

    def template(self, X: Any, *, times: Any = None) -> Array:
        """The template of each sample: its reconstruction without a deformation.

        Args:
            X: N samples like those of `fit`.
            times: Time stamps, as for `fit`.

        Returns:
            Templates in the shape, range and dtype of `X`. Series of unequal lengths, or with time
            stamps, are returned at the evenly spaced times `times_`.

        Raises:
            DataError: The samples do not fit the model.
        """
        samples = self.prepare_samples(X, times)
        return samples.collect(self._decoded(samples, is_deformed=False))

    def reconstruct(self, X: Any, *, times: Any = None) -> Array | list[Array]:
        """Reconstructions of samples: templates under the estimated deformations.

        Args:
            X: N samples like those of `fit`.
            times: Time stamps, as for `fit`.

        Returns:
            Reconstructions in the shape, range and dtype of `X`, at the times of the series in
            `X`. A list if `X` is a list of series of unequal lengths.

        Raises:
            DataError: The samples do not fit the model.
        """
        samples = self.prepare_samples(X, times)
        parts = samples.with_trends(self._decoded(samples))
        if not isinstance(samples.origin, IrregularSeries):
            return samples.collect(parts)
        return samples.restore_times(torch.cat([part for _, part in parts]))

    @float32_gradients()
    @torch.no_grad()
    def score(self, X: Any, y: Any = None, *, times: Any = None) -> float:
        """Mean log-likelihood of samples given their reconstructions.

        Args:
            X: N samples like those of `fit`.
            y: Ignored.
            times: Time stamps, as for `fit`.

        Returns:
            log p(x | x_hat) in nats, summed over values and averaged over samples, in the scaled
            units of the model; greater is better.

        Raises:
            DataError: The samples do not fit the model.
        """
        check_is_fitted(self)
        if not isinstance(X, Prepared):
            check_feature_names(self, X)
            X, times = self.open(X, times=times, any_order=True), None
        samples, likelihood = self.prepare_samples(X), self.model_.likelihood
        total = 0.0
        for rows, latent in self._latents(samples):
            # the CPU decodes, so that the result does not depend on the device
            x_hat = self.model_.to("cpu").reconstruct(latent)
            # only the Gaussian likelihood is defined for values outside [0, 1]
            x = samples[rows] if likelihood.kind == "gaussian" else samples[rows].clamp(0, 1)
            total += float(likelihood(x_hat, x).sum())
        return -total / len(samples)

    def inverse_transform(self, Z: Any, params: Any = None) -> Array:
        """Samples decoded from content codes, with or without deformations.

        Args:
            Z: Content codes (N, D), as `transform` returns them. Columns of a data frame may be in
                any order if they have the names of `get_feature_names_out`.
            params: Deformations to apply: the table of `transform_params(..., full=True)`, or an
                array (N, P) with its columns. Affine warps also accept the table of summary
                columns (`full=False`). None for templates, which are not deformed.

        Returns:
            Samples (N, C, ...), float32.

        Raises:
            DataError: `Z` does not have D columns or has columns of other names, `params` has wrong
                rows or columns, one of them has values that are not finite real numbers, or a scale
                is not positive.
            ConfigError: Labels chose features other than content codes.
        """
        check_is_fitted(self)
        base = self.columns_.base
        if base != "content":
            raise ConfigError(
                f"labels='choose' took {BASES[base].words}, and only content codes have templates; "
                "take template(X), or fit with labels='ignore'"
            )
        names = self.columns_.names(self.model_, self.schema_.domain, False)
        return self._decode_codes(columns_in_order("Z", Z, list(map(str, names))), params)

    def _decode_codes(self, Z: Any, params: Any = None) -> Array:
        """Samples decoded from content codes; arguments as for `inverse_transform`."""
        content = torch.from_numpy(real_numbers("Z", Z, finite=True)).float()
        if content.ndim != 2 or content.shape[1] != self.model_.n_content:
            raise DataError(
                f"Z has shape {tuple(content.shape)}; "
                f"give codes of shape (N, {self.model_.n_content})"
            )
        map = None
        if params is not None:
            map = self._chart.map(theta_from_table(params, self._chart, len(content)))
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
            samples = resize_smoothly(x, self.schema_.user_shape[1:])
        return np.asarray(self.schema_.scaler.undo(samples.numpy()))

    @property
    def cluster_templates_(self) -> Array:
        """Templates (n_clusters, C, ...), decoded from the centres of the clusters."""
        return self._decode_codes(self.cluster_centers_)

    @property
    def fast_loss_(self) -> FastLoss | None:
        """Difference between fast and measured codes of held-out series; None without `fast`."""
        return getattr(getattr(self.model_.encoder, "content", None), "loss", None)

    def _check_source(self, source: str) -> None:
        """Check the name of the distribution of samples."""
        if not Choice(get_args(LatentDensity)).allows(source):
            raise ConfigError(
                f"source={source!r} is unknown; choose one of {', '.join(get_args(LatentDensity))}"
            )
        if source == "prior" and not self.recipe_.generative:
            raise ConfigError(
                f"source='prior' needs a generative family, and {self.recipe_.family!r} has no "
                "prior over content; use source='mixture'"
            )

    @torch.no_grad()
    def _latents(self, samples: Prepared) -> Iterator[tuple[slice, Latent]]:
        """Content codes and deformations of samples, chunk by chunk.

        Args:
            samples: N samples.

        Yields:
            The rows of a chunk, and its latents on the CPU.
        """
        model, chart, refinement = self.model_, self.model_.chart, self.refinement_
        for rows in samples.chunks():
            x = samples[rows]
            content, theta = encode(model, x, device=self.device)
            map = chart.map(theta)
            if refinement is not None and refinement.keeps_family:
                map = refinement.refine(x, map, model.padding)
            yield rows, Latent(content, map)

    def _decoded(
        self, samples: Prepared, is_deformed: bool = True
    ) -> Iterator[tuple[slice, Tensor]]:
        """Reconstructions of samples, or templates, chunk by chunk.

        Args:
            samples: N samples.
            is_deformed: Whether to deform the templates into reconstructions.

        Yields:
            The rows of a chunk, and its decoded samples at the user's size, scaled.
        """
        for rows, latent in self._latents(samples):
            yield rows, self._decode(latent.content, latent.map if is_deformed else None)

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
            return resize_smoothly(model.template(content), size)
        return resize_smoothly(model.reconstruct(Latent(content, map)), size)
