"""A Gaussian mixture over latents, to sample new ones from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from unwarp.core import Array

MAX_LATENTS_FOR_FIT = 5000


@dataclass(frozen=True)
class Mixture:
    """A Gaussian mixture over latents, as arrays.

    An autoencoder has no prior over its codes, and the prior of a variational one has regions
    without codes, from which samples are poor. A density that is fitted to the codes after training
    gives better samples (Ghosh et al. 2020, From variational to deterministic autoencoders).

    Attributes:
        weights: Shares of the components (k,).
        means: Their means (k, D).
        covariances: Their covariances (k, D, D).

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
            latents: Latents (N, D); at most 5,000 of them, drawn at random, are used.
            k: Number of components; N if that is less.
            seed: Seed of the draw and of the start.

        Returns:
            The mixture, with 1e-6 added to the variances; after at most 50 steps, converged or not.
        """
        rows = np.random.default_rng(seed).permutation(len(latents))[:MAX_LATENTS_FOR_FIT]
        k = min(k, len(rows))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            # a rough fit serves to sample from
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
