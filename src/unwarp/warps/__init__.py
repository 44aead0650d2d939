"""Differentiable deformations without weights: families of warps and their maps.

To add a family, write a subclass of `Warp` in a new file of this folder. All files of the folder
are imported, and each family registers itself by its name.
"""

from __future__ import annotations

from unwarp.errors import ConfigError
from unwarp.missing import interpolate_missing
from unwarp.registry import import_files
from unwarp.warps.affine import Affine2d
from unwarp.warps.affine_map import AffineMap, translation
from unwarp.warps.apply import align, deform, nearest_index
from unwarp.warps.chain import Chain
from unwarp.warps.cosine import CosineTime
from unwarp.warps.cpab import CpabTime
from unwarp.warps.displacement import Displacement2d, DisplacementMap
from unwarp.warps.gain import Gain, GainMap
from unwarp.warps.identity import Identity
from unwarp.warps.maps import ChainMap, IdentityMap, Map
from unwarp.warps.matrices import to_matrix
from unwarp.warps.piecewise import SoftmaxTime, SquareTime
from unwarp.warps.rigid import Rigid2d
from unwarp.warps.shift import TimeShift
from unwarp.warps.similarity import Similarity2d
from unwarp.warps.spline import SplineTime
from unwarp.warps.time import MonotoneTime
from unwarp.warps.time_affine import TimeAffine
from unwarp.warps.time_map import TimeMap
from unwarp.warps.translations import Translation2d
from unwarp.warps.warp import Warp
from unwarp.warps.window import Padding, Window, resample

__all__ = [
    "Affine2d",
    "AffineMap",
    "Chain",
    "ChainMap",
    "CosineTime",
    "CpabTime",
    "Displacement2d",
    "DisplacementMap",
    "Gain",
    "GainMap",
    "Identity",
    "IdentityMap",
    "Map",
    "MonotoneTime",
    "Padding",
    "Rigid2d",
    "Similarity2d",
    "SoftmaxTime",
    "SplineTime",
    "SquareTime",
    "TimeAffine",
    "TimeMap",
    "TimeShift",
    "Translation2d",
    "Warp",
    "Window",
    "align",
    "deform",
    "families",
    "interpolate_missing",
    "nearest_index",
    "resample",
    "to_matrix",
    "translation",
    "warp_named",
]


import_files(__name__)


def families() -> dict[str, type[Warp]]:
    """Every family of deformations by its name.

    It includes the families of your own modules after these are imported.

    >>> families()["affine"].__name__
    'Affine2d'
    """
    return dict(Warp.registry)


def warp_named(text: str) -> Warp:
    """The warp with a name, at its defaults.

    Args:
        text: Name of a family, or two names joined by a plus sign: `a+b` is the chain that applies
            a to the template first.

    Returns:
        The warp, not yet bound to a size.

    Raises:
        ConfigError: A name is unknown; the message lists the known ones.

    >>> warp_named("time+gain").parts[1]
    Gain(size=(2,), most=2.0, offset=1.0)
    """
    singles = {name: family for name, family in families().items() if family is not Chain}
    if not isinstance(text, str) or not singles.keys() >= set(text.split("+")):
        names = ", ".join(sorted(singles))
        raise ConfigError(
            f"warp={text!r} is unknown; choose one of {names}, chain two with '+', or import the "
            "module that defines it"
        )
    links = [singles[name]() for name in text.split("+")]
    return links[0] if len(links) == 1 else Chain(*links)
