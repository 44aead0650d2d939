"""A Gaussian mixture over latents, from which new latents are sampled.

A latent is a vector: a content code, or a code with the parameters of a deformation.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from unwarp.core import Array

MAX_LATENTS_FOR_FIT = 5000
"""Largest number of latents to which the mixture is fitted; more would only take longer."""


@dataclass(frozen=True)
class Mixture:
    """A Gaussian mixture over latents, as arrays.

    An autoencoder has no prior over its codes. The prior of a variational autoencoder has regions
    without codes, and samples from these regions are poor. A density that is fitted to the codes
    after training gives better samples (Ghosh et al. 2020, From variational to deterministic
    autoencoders).

    Attributes:
        weights: Weights of the components (k,), with sum 1.
        means: Means of the components (k, D).
        covariances: Covariances of the components (k, D, D).

    >>> mixture = Mixture(np.ones(1), np.zeros((1, 2)), np.eye(2)[None])
    >>> mixture.sample(3).shape
    (3, 2)
    """

    weights: Array
    means: Array
    covariances: Array

    @classmethod
    def fit(cls, latents: Array, k: int, seed: int = 0) -> Mixture:
        """Fit a mixture to latents by expectation maximisation.

        Args:
            latents: Latents (N, D). If there are more than 5,000, a random 5,000 are used.
            k: Number of components; at most the number of latents.
            seed: Seed of the choice of latents and of the initial components.

        Returns:
            The mixture after at most 50 steps, converged or not; 1e-6 is added to the variances.
        """
        rows = np.random.default_rng(seed).permutation(len(latents))[:MAX_LATENTS_FOR_FIT]
        k = min(k, len(rows))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            # a rough fit is enough for sampling
            mixture = GaussianMixture(
                k, reg_covar=1e-6, tol=1e-2, max_iter=50, random_state=seed % (1 << 32)
            ).fit(latents[rows].astype(np.float64))
        return cls(mixture.weights_, mixture.means_, mixture.covariances_)

    def sample(self, n: int, seed: int = 0) -> Array:
        """New latents from the mixture.

        Args:
            n: Number of latents.
            seed: Seed of the draws.

        Returns:
            Latents (n, D), float64.
        """
        generator = np.random.default_rng(seed)
        components = generator.choice(len(self.weights), n, p=self.weights / self.weights.sum())
        roots = np.linalg.cholesky(self.covariances)
        noise = generator.normal(size=(n, self.means.shape[1]))
        offsets = np.einsum("nij,nj->ni", roots[components], noise)
        return np.asarray(self.means[components] + offsets)
