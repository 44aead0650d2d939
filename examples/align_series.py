"""Align series that hurry and linger, without labels, and look at what was found.

    python examples/align_series.py [steps]

Learns from 200 sums of bumps as from any array (N, T), and writes `series.png`, each cluster raw
and aligned, and `warps.png`, how each series was hurried.
"""

from __future__ import annotations

import sys

import numpy as np

from unwarp import Unwarper, plots
from unwarp.datasets import bumps

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 400
X = bumps.load("train").x[:, 0].numpy()

u = Unwarper(n_clusters=4, max_steps=steps, batch_size=20, verbose=True).fit(X)

print(u.transform_params(X[:5]).round(2))
aligned = u.align(X)
figure = plots.series(X[:, None], aligned[:, None], u.cluster_templates_, u.predict(X))
figure.savefig("series.png")

seen = np.arange(X.shape[1])[
    :, None
]  # where each sample of a series lies in its template, (N, T, 1)
gamma = u.transform_points(X, seen)[..., 0] / (X.shape[1] - 1)
plots.warps(gamma, X.shape[1], labels=u.predict(X)).savefig("warps.png")
