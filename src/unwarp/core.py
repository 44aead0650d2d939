"""Types that the whole library shares: domains, factors and batches.

    Domain      the properties of images, of series, and of kinds of samples that a user adds
    Factor      name, unit and range of one column of numbers
    Batch       samples of one training step and their row numbers
    *Name, ...  the values that an option accepts, as literal types

A sample is one image or one series of a collection. A series has time steps, with one value per
channel at each. Importing this file imports neither torch nor NumPy, so that the command line
starts fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[Any]
    Labels = NDArray[Any]
else:

    def __getattr__(name: str) -> Any:
        """The type alias `Array` or `Labels`; its first use imports NumPy."""
        if name not in ("Array", "Labels"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from numpy.typing import NDArray

        return NDArray[Any]


MissingPolicy = Literal["error", "interpolate", "mask"]
"""Treatment of missing values of a series.

`error` refuses them, `interpolate` fills them by linear interpolation in time and counts them as
observed, `mask` leaves them out of the loss.
"""

ScaleName = Literal["auto", "channel", "each", "level"]
"""Ways to scale the values of samples before training.

`auto` uses one scale for all samples, or one for each where the light of images or the levels of
series vary by chance. `channel` uses one scale for each channel of series, `each` one for each
image, or for each channel of each series, and `level` also removes trends and spikes of series.
"""

LayoutName = Literal["auto", "channels_first", "channels_last"]
"""Order of the axes of pictures: (N, C, H, W) or (N, H, W, C); `auto` decides by the shape."""

LengthPolicy = Literal["auto", "clock", "stretch"]
"""How series of unequal lengths, or with time stamps, share one time axis.

`clock` keeps their times: without time stamps they start together. `stretch` spreads each of them
evenly over the whole axis. `auto` keeps the clock unless the series show that their lengths mean
nothing.
"""

ContentKind = Literal["joint", "elastic", "gradients"]
"""Origins of content codes: learned together with the deformation, or measured by a fixed rule.

`elastic` measures elastic distances of series, `gradients` oriented gradients of aligned pictures.
"""

ContentName = Literal["auto", "joint", "elastic", "gradients"]
"""Origin of content codes, a `ContentKind`.

`auto` is that of the domain unless a recipe is named.
"""

ClusterMethod = Literal["auto", "kmeans", "spectral"]
"""Ways to form clusters: k-means on content codes, or spectral clusters.

`spectral` compares series by elastic distances, and other samples by the neighbours of their
content codes. `auto` takes it for measured content codes, else k-means.
"""

RefineName = Literal["auto", "none", "band", "gauss-newton"]
"""Refinement of learned deformations after training.

`band` moves aligned series by small displacements to a common template, `gauss-newton` moves
pictures onto the mean picture of their kind, `none` does neither. `auto` refines where it helps
held-out samples.
"""

LabelPolicy = Literal["ignore", "choose"]
"""Use of the labels of training samples.

`ignore` learns everything without them. `choose` takes them to choose the features that `transform`
returns.
"""

TableLayout = Literal["auto", "wide", "long", "columns"]
"""Layouts of tables: a row per series, a row per series and time, or a column per series.

`auto` decides by the names and the cells of the columns.
"""

WorkingSize = Literal["auto"] | int | tuple[int, int] | None
"""Size at which a model learns.

`auto` chooses it from the data, a number is the longest side in pixels or the number of time steps,
two are height and width, None is the full size.
"""

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
"""Devices to compute on; `auto` takes CUDA, else MPS, else the CPU."""

Precision = Literal["no", "fp16", "bf16"]
"""Number format of mixed-precision training; `no` trains in float32."""

StartName = Literal["auto", "learned", "centroid", "moments", "search"]
"""First estimate of the pose; `auto` is that of the recipe, or one that suits the warp."""

DivergencePolicy = Literal["stop", "rollback"]
"""What a training does when a loss or a gradient is not finite.

`stop` ends it with an error. `rollback` goes back to the last good state and continues at half the
learning rate.
"""

LatentDensity = Literal["auto", "prior", "mixture"]
"""Density from which new latent codes are sampled.

`prior` is the prior of the model, `mixture` is a Gaussian mixture that is fitted to the codes of
the training data. `auto` takes the prior if the model has one, else the mixture.
"""

LatentPart = Literal["content", "deformation"]
"""The part of the latents that a traversal varies."""

PathKind = Literal["linear", "spherical"]
"""Path of an interpolation between two latent codes: a straight line or an arc of a circle."""


@dataclass(frozen=True)
class Domain:
    """Properties of one kind of samples, such as images or series.

    A domain is a record of plain values. All differences between images and series that other code
    depends on are fields of it. To add a kind of samples, such as spectra or volumes, create a
    domain and `register` it; then `Unwarper(domain=name)` and the command line accept its name.

    Attributes:
        name: Name of the domain in options, files and messages.
        axes: Names of the axes of a sample after its channels, in the order of the array.
        singular: Word for one sample in messages, such as `image`.
        plural: Word for several samples in messages, such as `images`.
        warp: Name of the default warp (family of deformations).
        is_bounded: Whether values are scaled to [0, 1]. If so, decoders return values in [0, 1],
            and with padding `zeros` an untrained decoder returns values near 0, the background.
        likelihood: Name of the default likelihood of a sample given its reconstruction.
        padding: Values outside the sample that a deformation may move into it: `zeros`, `border`
            or `reflection`; `auto` chooses from the values at the border of the training images.
        network: Kind of the default network for samples that are too large for a fully connected
            one: `conv` or `tcn`.
        batch_size: Default number of samples per training step.
        min_steps: Lower bound of the default number of training steps.
        n_clusters: Default number of clusters; None takes the number of classes if there are
            labels, else a tenth of the number of samples, from 2 to 10.
        has_gaps: Whether values may be missing (NaN).
        has_times: Whether an axis is time. Sampling rates, time stamps and events are accepted for
            such domains only.
        max_working_side: Longest side of a sample at which models learn unless the user sets it, in
            pixels or time steps; larger samples are reduced for the model only. None if samples
            keep their size.
        working_sides: Shorter sides that are tried first, ascending.
        content: Origin of content codes unless a recipe is named; `joint` for learned ones.
        max_kept_side: Longest side of samples that keep their size; None for `max_working_side`.
        registry: All registered domains by name (class attribute).

    >>> SERIES.axes, SERIES.has_times
    (('time',), True)
    >>> Domain.of_axes(2).plural
    'images'
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
    max_working_side: int | None = None
    working_sides: tuple[int, ...] = (24, 32, 40)
    max_kept_side: int | None = None
    content: ContentKind = "joint"

    def register(self) -> Domain:
        """Make the domain available by its name.

        Returns:
            The domain itself, so that a definition can end in `.register()`.

        Raises:
            ValueError: A different domain with this name is registered.
        """
        if self.registry.setdefault(self.name, self) != self:
            raise ValueError(
                f"a domain {self.name!r} is registered already; choose another name, or remove the "
                f"registered one first with Domain.registry.pop({self.name!r})"
            )
        return self

    @classmethod
    def of_axes(cls, n_axes: int, name: str = "auto") -> Domain | None:
        """The domain with a given number of axes.

        Args:
            n_axes: Number of axes of a sample after its channels: 1 for series, 2 for images.
            name: Name of the domain to prefer if several have this number of axes.

        Returns:
            The domain `name` if it has `n_axes` axes, else the first registered one that has; None
            if no domain has.
        """
        candidates = [domain for domain in cls.registry.values() if len(domain.axes) == n_axes]
        first = next(iter(candidates), None)
        return next((domain for domain in candidates if domain.name == name), first)


IMAGES = Domain(
    name="image",
    axes=("y", "x"),
    singular="image",
    plural="images",
    warp="affine",
    is_bounded=True,
    likelihood="bernoulli",
    padding="auto",
    network="conv",
    batch_size=64,
    min_steps=600,
    n_clusters=10,
    max_working_side=48,
    content="gradients",
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
    max_working_side=2048,
    working_sides=(512, 1024),
    max_kept_side=768,
    content="elastic",
).register()


@dataclass(frozen=True)
class Factor:
    """Name, unit and range of one column of numbers.

    A factor describes a column of theta (the parameters of a deformation) or a ground-truth factor
    of a data set, so that the two can be compared.

    Attributes:
        name: Column name, usually with the unit at its end, such as `rotation_deg`.
        unit: Unit for axis labels, such as `deg`, `px` or `factor`; empty if there is none.
        low: Lower bound, in `unit`. Sliders, axes of plots and scores use the bounds.
        high: Upper bound, in `unit`.
        periodic: Whether `low` and `high` mean the same value, as 0 and 360 degrees do.
        discrete: Whether the only values are the bounds 0 and 1, as for a mirror. A search chooses
            the value; no network predicts it.

    >>> factor = Factor("rotation_deg", "deg", -45.0, 45.0)
    >>> factor.label, factor.half_range
    ('rotation (deg)', 45.0)
    """

    name: str
    unit: str
    low: float
    high: float
    periodic: bool = False
    discrete: bool = False

    @property
    def half_range(self) -> float:
        """Half of the width between the bounds, in `unit`.

        "Theta in half-ranges" is theta with each column divided by the half-range of its factor, so
        that columns of different units have one scale and 1 is the bound. The prior of a
        deformation is a Gaussian over theta in half-ranges.
        """
        return (self.high - self.low) / 2

    @property
    def label(self) -> str:
        """Axis label for people.

        The name without underscores, then the unit in brackets if there is one.

        >>> Factor("lag", "", -1.0, 1.0).label
        'lag'
        """
        words = self.name.removesuffix(f"_{self.unit}").replace("_", " ")
        return f"{words} ({self.unit})" if self.unit else words


@dataclass(frozen=True)
class Batch:
    """Samples of one training step and their row numbers.

    Attributes:
        x: Samples (N, C, ...), scaled as the model expects.
        index: Row of each sample in the data set (N,), int64. A loss reads further facts about a
            sample, such as its class, by this row, and messages name it.

    >>> import torch
    >>> len(Batch(torch.zeros(3, 1, 8, 8), torch.arange(3)))
    3
    """

    x: Tensor
    index: Tensor

    def __len__(self) -> int:
        return len(self.x)
