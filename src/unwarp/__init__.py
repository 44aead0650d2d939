"""Unwarp: learn, without labels, what each thing looks like.

That is, once nothing has moved, turned, stretched or hurried it.
The public names stand in `__init__.pyi`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from unwarp._version import __version__ as __version__


@cache
def _homes() -> dict[str, str]:
    """The file of each public name, as the stub beside this file imports it."""
    import ast
    from importlib.resources import files

    stub = ast.parse(files(__name__).joinpath("__init__.pyi").read_text("utf-8"))
    imports = (node for node in stub.body if isinstance(node, ast.ImportFrom))
    return {alias.name: node.module or "" for node in imports for alias in node.names}


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first used."""
    from importlib import import_module

    if name == "__all__":
        return __dir__()
    if name not in _homes():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_homes()[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted([*_homes(), "__version__"])
