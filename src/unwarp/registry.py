"""Registries of classes and functions that a user's modules can extend."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar

Member = TypeVar("Member")


class Registry(dict[str, Member]):
    """Classes or functions of one kind, by name.

    A dictionary with a method `add` that refuses a second class or function with the same name.
    There is one registry each for warps, families, metrics, data sets and file formats. A user's
    modules can add members to them.

    Args:
        noun: Word for a member in messages, such as `warp`.
        error: Type of the error that `add` raises for a second member with the same name.

    >>> warps = Registry[type]("warp", ValueError)
    >>> warps.add("integer", int)
    >>> list(warps)
    ['integer']
    >>> warps.add("integer", bool)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: the warp 'integer' is defined twice, as builtins.int and as builtins.bool; ...
    """

    def __init__(self, noun: str, error: type[Exception]) -> None:
        super().__init__()
        self.noun, self.error = noun, error
        self._addresses: dict[str, str] = {}

    def add(self, name: str, member: Member, definition: Any = None) -> None:
        """Register a member under a name.

        A class or function with the same `address` replaces the member of this name, so that a
        cell of a notebook can be run again.

        Args:
            name: Name of the member.
            member: The object to register.
            definition: Class or function whose address identifies the member; None if that is
                `member` itself.

        Raises:
            Exception: A member with another address has this name. The type is the registry's
                `error`.
        """
        origin = address(member if definition is None else definition)
        if name in self and self._addresses[name] != origin:
            raise self.error(
                f"the {self.noun} {name!r} is defined twice, as {self._addresses[name]} and as "
                f"{origin}; give one of them another name"
            )
        self[name], self._addresses[name] = member, origin


def address(definition: Any) -> str:
    """Dotted name of a class or a function, with its module.

    Args:
        definition: A class or a function; of any other object, its class is named.

    >>> address(Registry), address("text")
    ('unwarp.registry.Registry', 'builtins.str')
    """
    owner = definition if hasattr(definition, "__qualname__") else type(definition)
    return f"{owner.__module__}.{owner.__qualname__}"


def import_files(package: str) -> None:
    """Import every module of a package.

    The classes in these modules register themselves when they are defined, so that a new warp,
    family, metric or file format is one new file, and no list has to be edited.

    Args:
        package: Dotted name of the package, such as `unwarp.warps`.

    Raises:
        ImportError: There is no such package, or one of its modules cannot be imported.
    """
    for file in iter_modules(import_module(package).__path__):
        import_module(f"{package}.{file.name}")
