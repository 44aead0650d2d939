"""The exploration: rows and columns are checked, and everything is computed once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.limits import Refusal


def test_preparation_computes_all_once(series: Exploration) -> None:
    """Requests find maps and neighbours; t-SNE takes long and begins later."""
    exploration = replace(series)
    exploration.prepare()
    names = {"facts", "columns", "pca", "content_neighbours", "value_neighbours"}
    assert names <= vars(exploration).keys()
    assert exploration.tsne._process is None


def test_absent_rows_and_columns_are_refused(series: Exploration) -> None:
    """Messages say what there is."""
    assert series.check_rows([19, 0]).tolist() == [19, 0]
    for row in (-1, 20):
        with pytest.raises(Refusal, match=f"sample {row} does not exist; choose .* 0 to 19"):
            series.check_rows([3, row])
    with pytest.raises(Refusal, match="column 'x' is unknown; choose from label, cluster, lag_s"):
        series.column("x")
    assert series.column("label").categories == ("0", "1")


def test_facts_name_the_run(series: Exploration) -> None:
    """Name, version and notes stand beside the facts of the model."""
    exploration = replace(series, name="run", notes=("no data",))
    assert exploration.facts["name"] == "run" and exploration.facts["notes"] == ["no data"]
