"""Unwarp separates deformation from content, without labels.

A sample is one image or one time series of a collection. For every sample Unwarp learns a template
(the sample with its deformation removed), a content code that does not depend on the deformation,
and the deformation itself, in degrees, pixels, factors or seconds.

    from unwarp import Unwarper
    unwarper = Unwarper().fit(x)           # images (N, C, H, W) or series (N, C, T)
    aligned = unwarper.align(x)            # the samples with their deformation undone

The public names are listed in `__init__.pyi`; each is imported when it is first used.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from unwarp._version import __version__ as __version__


@cache
def _modules() -> dict[str, str]:
    """Each public name with the dotted name of the module that defines it.

    The names are read from the stub `__init__.pyi`, so that there is only one list of them.
    """
    import ast
    from importlib.resources import files

    stub = ast.parse(files(__name__).joinpath("__init__.pyi").read_text("utf-8"))
    imports = (node for node in stub.body if isinstance(node, ast.ImportFrom))
    return {alias.name: node.module or "" for node in imports for alias in node.names}


def __getattr__(name: str) -> Any:
    """The public object with this name; its module is imported at the first use of the name."""
    from importlib import import_module

    if name == "__all__":
        return __dir__()
    if name not in _modules():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_modules()[name]), name)


def __dir__() -> list[str]:
    """The public names, sorted."""
    return sorted([*_modules(), "__version__"])
