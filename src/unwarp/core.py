"""Shared by every floor: `Domain`, `Factor`, `Batch`, `Array`, `Registry`, and the choices that have names.

Importing this file imports neither torch nor NumPy, so that the command line answers at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[Any]
    Labels = NDArray[Any]
else:

    def __getattr__(name: str) -> Any:
        """`Array` or `Labels`, the aliases that need NumPy."""
        if name not in ("Array", "Labels"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from numpy.typing import NDArray

        return NDArray[Any]


MissingPolicy = Literal["error", "interpolate", "mask"]
"""What a missing value of a series becomes."""


ScaleName = Literal["auto", "channel", "each"]
"""What is brought to one scale: all that was learned from, each channel, or each sample."""


DeviceName = Literal["auto", "cpu", "cuda", "mps"]
"""Where to compute."""


Precision = Literal["no", "fp16", "bf16"]
"""Mixed precision in training; `no` for float32."""


LatentDensity = Literal["auto", "prior", "mixture"]
"""The density that new codes are sampled from."""


LatentPart = Literal["content", "deformation"]
"""The part of the latents that a traversal varies."""


PathKind = Literal["linear", "spherical"]
"""How codes are joined."""


@dataclass(frozen=True)
class Domain:
    """What differs between images, series and other kinds of samples: values alone, stated once.

    A new domain is a new record, which `register` makes known by its name, wherever that is.

    Attributes:
        name: The word by which users and files name it.
        axes: Names of the axes of a sample behind its channels, slowest first.
        singular: What people call one sample.
        plural: What people call several.
        warp: Name of the warp that is taken where nobody names one.
        is_bounded: Whether values lie in [0, 1] and templates start near an empty background.
        likelihood: Name of the observation model that `auto` stands for.
        padding: What lies beyond the frame: a padding, or `auto` to look at the rim of the data.
        network: Kind of network for samples too large for a perceptron.
        batch_size: Samples a training step.
        min_steps: Least number of training steps where nobody says how many.
        n_clusters: Clusters where nobody says how many; None for a tenth of the samples, 2 to 10.
        has_gaps: Whether values may be missing, as NaN.
        has_times: Whether samples run over time, so that sampling rates, time stamps and events mean something.

    >>> Domain.of_axes(2).plural
    'pictures'
    """

    registry: ClassVar[dict[str, Domain]] = {}
    name: str
    axes: tuple[str, ...]
    singular: str
    plural: str
    warp: str
    is_bounded: bool
    likelihood: str
    padding: str
    network: str
    batch_size: int
    min_steps: int
    n_clusters: int | None
    has_gaps: bool = False
    has_times: bool = False

    def register(self) -> Domain:
        """The domain itself, known by its name from now on.

        Raises:
            ValueError: Another domain has this name.
        """
        if self.registry.setdefault(self.name, self) != self:
            raise ValueError(
                f"a domain {self.name!r} is registered already; give this one another name, or take that one "
                f"out with Domain.registry.pop({self.name!r})"
            )
        return self

    @classmethod
    def of_axes(cls, n_axes: int, name: str = "auto") -> Domain | None:
        """The domain whose samples have so many axes behind their channels, if there is one.

        Args:
            n_axes: Number of axes.
            name: The domain to prefer where several have as many axes.
        """
        matches = [domain for domain in cls.registry.values() if len(domain.axes) == n_axes]
        return next(
            (domain for domain in matches if domain.name == name), next(iter(matches), None)
        )


IMAGES = Domain(
    name="image",
    axes=("y", "x"),
    singular="picture",
    plural="pictures",
    warp="affine",
    is_bounded=True,
    likelihood="bernoulli",
    padding="auto",
    network="conv",
    batch_size=64,
    min_steps=300,
    n_clusters=10,
).register()
SERIES = Domain(
    name="series",
    axes=("time",),
    singular="series",
    plural="series",
    warp="time",
    is_bounded=False,
    likelihood="gaussian",
    padding="border",
    network="tcn",
    batch_size=20,
    min_steps=400,
    n_clusters=None,
    has_gaps=True,
    has_times=True,
).register()


@dataclass(frozen=True)
class Factor:
    """One column of numbers: of a deformation table, or a known factor of a data set.

    Attributes:
        name: Column name, such as `rotation_deg`.
        unit: Unit as printed on an axis, such as `deg`, `px` or `factor`; empty for none.
        low: Lower end of the range (sliders, axes, scaling of errors).
        high: Upper end of the range.
        periodic: Whether `low` and `high` are the same point (a full circle).
    """

    name: str
    unit: str
    low: float
    high: float
    periodic: bool = False

    @property
    def half_range(self) -> float:
        """Half the distance from `low` to `high`, the scale of the prior."""
        return (self.high - self.low) / 2

    @property
    def label(self) -> str:
        """Name for people: `rotation (deg)`."""
        words = self.name.removesuffix(f"_{self.unit}").replace("_", " ")
        return f"{words} ({self.unit})" if self.unit else words


@dataclass(frozen=True)
class Batch:
    """A slice of a data set: `x` (N, C, ...) and the positions `index` (N,) it came from."""

    x: Tensor
    index: Tensor

    def __len__(self) -> int:
        return len(self.x)


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
    'unwarp.core.Registry'
    """
    owner = definition if hasattr(definition, "__qualname__") else type(definition)
    return f"{owner.__module__}.{owner.__qualname__}"


def import_files(package: str) -> None:
    """Import every file of a folder, so that what they define registers itself.

    Args:
        package: Dotted name of the folder.
    """
    for file in iter_modules(import_module(package).__path__):
        import_module(f"{package}.{file.name}")
