"""Whether a search suits pictures.

They must be noisy, and few templates must explain all but the noise.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from unwarp.models.scan.fitting import STANDARD_ERRORS, choose_number, held_out_evidence
from unwarp.models.scan.noise import noise_share
from unwarp.models.scan.search import COARSE_PX, N_ANGLES, PictureSearch, scan_family
from unwarp.warps import Rigid2d, Warp

MIN_PICTURES, MAX_PICTURES = 24, 120
"""Least number of pictures for a decision, and greatest number that is looked at."""

MIN_NOISE, MAX_NOISE = 0.4, 0.97
"""Shares of noise in the variance of pictures between which a search may help."""

MAX_FEW_KINDS = 4
"""Greatest number of kinds that a search may find, so that it suits the pictures."""

MAX_MISFIT = 0.04
"""Greatest share of the variance that templates leave beyond the noise."""


@torch.no_grad()
def searched_warp(x: Tensor, warp: Warp, is_open: bool = False) -> Warp | None:
    """The warp of a search; None if none suits the pictures.

    Args:
        x: Training pictures (N, C, H, W), in any order.
        warp: The family of deformations, bound or not.
        is_open: Whether another family may take the place of `warp`. It is then rotations, on the
            full circle if held-out pictures say so, and shifts: noise hides all else.

    >>> from unwarp.warps import Affine2d
    >>> searched_warp(torch.zeros(40, 1, 16, 16), Affine2d()) is None
    True
    """
    family = scan_family(warp)
    if family is None or x.ndim != 4 or len(x) < MIN_PICTURES:
        return None
    # spread over all, which may be sorted by kind
    x = x[torch.linspace(0, len(x) - 1, min(len(x), MAX_PICTURES)).round().long()]
    if not MIN_NOISE <= noise_share(x) <= MAX_NOISE:
        return None
    size = int(x.shape[2]), int(x.shape[3])
    fields = {name: getattr(family, name) for name in ("rotation", "shift", "mirror")}
    rigid = Rigid2d(**fields, size=size)
    if is_open and _needs_full_circle(x, rigid):
        rigid = replace(rigid, rotation=180.0)
    search = PictureSearch((int(x.shape[1]), *size), rigid)
    search.fit(x)
    remainder = float(search.noise[1])
    is_explained = remainder <= min(MAX_NOISE, search.noise_share(x) + MAX_MISFIT)
    if search.n_kinds > MAX_FEW_KINDS or not is_explained:
        return None
    return replace(rigid, size=Rigid2d().size) if is_open else warp


def _needs_full_circle(x: Tensor, rigid: Rigid2d) -> bool:
    """Whether pictures turn by more than the angles of a family, by held-out evidence."""
    if not 0 < rigid.rotation < 180:
        return False
    shape = (int(x.shape[1]), int(x.shape[2]), int(x.shape[3]))
    searches = [PictureSearch(shape, replace(rigid, rotation=a)) for a in (180, rigid.rotation)]
    pairs = [search.prepare(x, COARSE_PX, N_ANGLES) for search in searches]
    n = choose_number(*pairs[0], n_max=MAX_FEW_KINDS)
    full, limited = (held_out_evidence(small, n, grid) for small, grid in pairs)
    gain = full - limited
    return float(gain.mean()) > STANDARD_ERRORS * float(gain.std()) / math.sqrt(len(gain))
