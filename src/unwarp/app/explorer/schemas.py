"""Bodies and answers of the server, as its OpenAPI document describes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

MAX_ROWS = 10_000_000
"""Greatest number of rows in a body; the size of the body is bounded before."""

MAX_CODE = 1e4
"""Greatest number of a content code in a body."""

Row = Annotated[int, Field(ge=0, le=MAX_ROWS)]
Code = Annotated[FiniteFloat, Field(ge=-MAX_CODE, le=MAX_CODE)]
Number = FiniteFloat | None


class Body(BaseModel):
    """A body that has no other fields.

    >>> Rows(rows=[1, 2]).rows
    [1, 2]
    """

    model_config = ConfigDict(extra="forbid")


class RenderBody(Body):
    """A content code, and a deformation by the names of the sliders."""

    content: list[Code]
    deformation: dict[str, FiniteFloat] = {}


class MorphBody(Body):
    """A place between two samples: 0 is the first, 1 the last."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    first: Row = Field(alias="from")
    last: Row = Field(alias="to")
    along: Literal["content", "deformation", "both"] = "both"
    position: Annotated[FiniteFloat, Field(ge=0, le=1)]


class Rows(Body):
    """Rows of the collection."""

    rows: Annotated[list[Row], Field(min_length=1)]


class SamplesBody(Body):
    """Own samples as nested lists of numbers."""

    samples: Annotated[list[list[object]], Field(min_length=1)]


class Failure(BaseModel):
    """One sentence about a mistake: argument, value, mend."""

    error: str


class Computing(BaseModel):
    """A map that is still computed, and for how long."""

    state: Literal["computing"]
    seconds: float


class Curves(BaseModel):
    """A series: times (K,), and values (C, K), null where missing."""

    time: list[Number]
    values: list[list[Number]]


Panel = str | Curves


class WarpCurve(BaseModel):
    """Template time over observed time, both (K,)."""

    time: list[Number]
    template_time: list[Number]


class ContentSlider(BaseModel):
    """A dimension of the content code, and its range in the collection."""

    name: str
    low: float
    high: float
    mean: float


class FactorSlider(BaseModel):
    """A parameter of the deformation in a unit for people."""

    name: str
    title: str
    unit: str
    low: float
    high: float
    identity: float
    periodic: bool
    values: list[float] | None


class ColumnFacts(BaseModel):
    """A column of the collection without its values."""

    name: str
    title: str
    type: Literal["category", "number"]
    unit: str
    categories: list[str] | None
    low: float | None
    high: float | None


class ModelFacts(BaseModel):
    """All that the page needs to know before it asks for samples."""

    name: str
    version: str
    domain: Literal["image", "series"]
    shape: list[int]
    n_samples: int
    sampling_rate: float | None
    time_unit: str
    value_unit: str
    value_range: list[float]
    content: list[ContentSlider]
    factors: list[FactorSlider]
    maps: list[str]
    columns: list[ColumnFacts]
    clusters: int | None
    notes: list[str]


class Panels(BaseModel):
    """The five panels of a sample."""

    observed: Panel
    aligned: Panel
    template: Panel
    reconstruction: Panel
    residual: Panel


class NeighbourRows(BaseModel):
    """Nearest samples of the collection, nearest first."""

    content: list[int]
    pixels: list[int]


class SampleView(BaseModel):
    """A sample with its codes, panels and neighbours."""

    index: int | None
    id: str | None
    label: str | None
    cluster: str | None
    error: Number
    content: list[Number]
    deformation: dict[str, Number]
    columns: dict[str, Number]
    panels: Panels
    warp: WarpCurve | None
    neighbours: NeighbourRows


class Thumbnail(BaseModel):
    """A sample as it is and aligned."""

    index: int
    observed: Panel
    aligned: Panel


class Rendering(BaseModel):
    """A template, its deformed form, and the warp of time."""

    template: Panel
    reconstruction: Panel
    warp: WarpCurve | None
    seconds: float


class Morph(BaseModel):
    """A place between two samples, rendered."""

    template: Panel
    reconstruction: Panel
    warp: WarpCurve | None
    content: list[Number]
    deformation: dict[str, Number]


class NumberSummary(BaseModel):
    """Mean and ends of numbers."""

    mean: Number
    low: Number
    high: Number


class CategorySummary(BaseModel):
    """Counts of categories."""

    counts: dict[str, int]


class Selection(BaseModel):
    """Means of some samples before and after alignment."""

    n: int
    n_averaged: int
    mean_observed: Panel
    mean_aligned: Panel
    template: Panel
    columns: dict[str, NumberSummary | CategorySummary]


class NumberHistogram(BaseModel):
    """Counts (K,) of numbers between edges (K + 1,)."""

    edges: list[float]
    counts: list[int]


class CategoryHistogram(BaseModel):
    """Counts (K,) of categories (K,)."""

    categories: list[str]
    counts: list[int]


class EmbedAnswer(BaseModel):
    """Codes, deformations and clusters of own samples."""

    content: list[list[Number]]
    deformation: list[dict[str, Number]]
    columns: list[dict[str, Number]]
    cluster: list[str]


class AlignAnswer(BaseModel):
    """Views of own samples."""

    samples: list[SampleView]
