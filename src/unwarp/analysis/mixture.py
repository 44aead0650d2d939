"""Where the latents of a collection lie: a Gaussian mixture fitted to them, to draw new samples from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from unwarp.core import Array

MOST = 5000


@dataclass(frozen=True)
class Mixture:
    """A Gaussian mixture over latents, as arrays.

    An autoencoder has no prior over its codes, and the prior of a variational one leaves holes that no sample fills
    (Ghosh et al. 2020, From variational to deterministic autoencoders): new samples are drawn from where codes lie.

    Attributes:
        weights: Shares of the components (k,).
        means: Their means (k, D).
        covariances: Their covariances (k, D, D).
    """

    weights: Array
    means: Array
    covariances: Array

    @classmethod
    def fit(cls, latents: Array, k: int, seed: int = 0) -> Mixture:
        """The mixture of `k` components of latents (N, D), of at most 5,000 of them."""
        rows = np.random.default_rng(seed).permutation(len(latents))[:MOST]
        k = min(k, len(rows))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            found = GaussianMixture(
                k, reg_covar=1e-6, tol=1e-2, max_iter=50, random_state=seed % (1 << 32)
            ).fit(latents[rows].astype(np.float64))
        return cls(found.weights_, found.means_, found.covariances_)

    def sample(self, n: int, seed: int = 0) -> Array:
        """`n` new latents (n, D)."""
        generator = np.random.default_rng(seed)
        which = generator.choice(len(self.weights), n, p=self.weights / self.weights.sum())
        roots = np.linalg.cholesky(self.covariances)
        noise = generator.normal(size=(n, self.means.shape[1]))
        return np.asarray(self.means[which] + np.einsum("nij,nj->ni", roots[which], noise))
