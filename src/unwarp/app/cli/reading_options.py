"""Options for reading samples, shared by the commands that learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unwarp.app.cli.learn_options import (
    IdOption,
    LabelOption,
    LengthsOption,
    RateOption,
    TableOption,
    TimeOption,
    ValueOption,
)
from unwarp.app.cli.options import LayoutOption, ShapeOption, SizesOption, picture_hints


@dataclass(frozen=True)
class ReadingOptions:
    """Options for reading samples; each field is an option of a command.

    Attributes:
        sampling_rate: Samples per second of series; None to count time in time steps.
        lengths: How series of unequal lengths, or with time stamps, share one time axis.
        layout: Order of the axes of images.
        sizes: How to bring images of several sizes to one; None refuses them.
        table: Layout of a table of series, or `auto`.
        id_column: Column that names the series of a table; None to find it.
        time_column: Column of times of a table; None to find it.
        value_columns: Columns of values of a table; None for all without another role.
        label_column: Column of labels of a table; None to find it.
        image_shape: Shape of images that are rows of a table; None for other data.

    >>> ReadingOptions(table="long").arguments()
    {'sampling_rate': None, 'lengths': 'auto', 'table': 'long'}
    """

    sampling_rate: RateOption = None
    lengths: LengthsOption = "auto"
    layout: LayoutOption = "auto"
    sizes: SizesOption = None
    table: TableOption = "auto"
    id_column: IdOption = None
    time_column: TimeOption = None
    value_columns: ValueOption = None
    label_column: LabelOption = None
    image_shape: ShapeOption = None

    def arguments(self) -> dict[str, Any]:
        """Arguments of `Unwarper` by name, without those that keep their defaults."""
        columns: dict[str, Any] = {"table": self.table, "id_column": self.id_column}
        columns |= {"time_column": self.time_column, "value_columns": self.value_columns or None}
        columns |= {"label_column": self.label_column}
        return {
            "sampling_rate": self.sampling_rate,
            "lengths": self.lengths,
            **picture_hints(self.layout, self.sizes, self.image_shape),
            **{name: value for name, value in columns.items() if value not in (None, "auto")},
        }


DEFAULT_READING = ReadingOptions()
"""Options of a user who names none."""
