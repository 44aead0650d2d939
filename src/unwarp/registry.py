"""`Registry`: definitions by name, in whichever module they stand."""

from __future__ import annotations

from typing import Any, TypeVar

Member = TypeVar("Member")


class Registry(dict[str, Member]):
    """Members by name; a name belongs to one definition.

    Args:
        noun: Word for a member in messages, such as `warp`.
        error: Error that refuses a second definition with the same name.

    >>> warps = Registry[type]("warp", ValueError)
    >>> warps.add("integer", int)
    >>> list(warps)
    ['integer']
    """

    def __init__(self, noun: str, error: type[Exception]) -> None:
        super().__init__()
        self.noun, self.error = noun, error
        self._addresses: dict[str, str] = {}

    def add(self, name: str, member: Member, definition: Any = None) -> None:
        """Register a member; a definition that is run again replaces its earlier result.

        Args:
            name: Name of the member.
            member: The member.
            definition: Class or function that stands behind it; None for the member itself.

        Raises:
            Exception: The registry's `error`: another definition has this name.
        """
        place = address(member if definition is None else definition)
        if name in self and self._addresses[name] != place:
            raise self.error(
                f"the {self.noun} {name!r} is defined twice, as {self._addresses[name]} and as {place}; "
                "give one of them another name"
            )
        self[name], self._addresses[name] = member, place


def address(definition: Any) -> str:
    """Module and qualified name of a class or a function.

    >>> address(Registry)
    'unwarp.registry.Registry'
    """
    owner = definition if hasattr(definition, "__qualname__") else type(definition)
    return f"{owner.__module__}.{owner.__qualname__}"
