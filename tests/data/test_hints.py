"""Hints reach the readers from each door."""

from __future__ import annotations

import numpy as np
import pandas as pd

from unwarp import Unwarper
from unwarp.data.hints import Hints
from unwarp.data.opening import as_source
from unwarp.data.reading import Reading

X = np.zeros((4, 16, 16, 2))


def test_reading_gives_its_hints() -> None:
    """The options of an estimator are the hints of a reader."""
    reading = Reading(layout="channels_last", sizes="pad", image_shape=(3, 4))
    assert reading.hints == Hints("channels_last", "pad", (3, 4))


def test_options_of_tables_are_hints() -> None:
    """Layout and columns reach the reader from a reading and from an estimator."""
    options = {"table": "long", "id_column": "q", "value_columns": ["x", "y"]}
    hints = Reading(**options).hints
    assert hints == Hints(table="long", id_column="q", value_columns=("x", "y"))
    assert hints.names_table and not Hints().names_table
    frame = pd.DataFrame({"q": [1, 1, 2, 2], "x": range(4), "z": range(4), "y": range(4)})
    source = Unwarper(**options).open(frame)
    assert source.x.shape == (2, 2, 2) and source.form.channels == ("x", "y")


def test_layout_reaches_the_samples() -> None:
    """The layout of the hints decides how an array is parsed; a source keeps its own."""
    source = as_source(X, hints=Hints("channels_last"))
    assert Reading().parse(source).x.samples.shape == (4, 2, 16, 16)
    again = as_source(source, hints=Hints("channels_first"))
    assert again.layout == "channels_last"
