"""Align misplaced pictures without labels, and look at what was found.

    python examples/align_pictures.py [steps]

Draws 400 deformed digits, learns from them as from any array, and writes `aligned.png`: the
pictures, the pictures with their deformation undone, and their templates.
"""

from __future__ import annotations

import sys

from unwarp import AE, Affine2d, Unwarper, plots
from unwarp.datasets import digits
from unwarp.datasets.affine_mnist import fixed_observations

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 600
X = fixed_observations(digits.load("train"), draws=1, seed=0).x.numpy()[::10]

recipe = AE(start="centroid", crop=0.7)  # one light object on a dark background
u = Unwarper(Affine2d(), recipe, max_steps=steps, verbose=True).fit(X)

print(u.transform_params(X[:5]).round(2))
shown = X[::33]
figure = plots.gallery(
    {"observed": shown, "aligned": u.align(shown), "template": u.template(shown)}
)
figure.savefig("aligned.png")
