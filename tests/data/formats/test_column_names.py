"""Names of columns tell roles word by word, in any writing."""

from __future__ import annotations

import pytest

from unwarp.data.formats.column_names import is_counter_name, is_id_name, is_time_name, stem_of


@pytest.mark.parametrize(
    "name", ["id", "Series_ID", "patientId", "Trial No", "device", "sensor_id", "unique_id", "Subj"]
)
def test_id_names_are_told(name: str) -> None:
    """Words for things that are recorded, or an ending `id`, in any writing."""
    assert is_id_name(name) and not is_time_name(name)


@pytest.mark.parametrize(
    "name", ["time", "Time (s)", "t_ms", "elapsedTime", "Zeit", "recorded_at", "Date/Time", "ds"]
)
def test_time_names_are_told(name: str) -> None:
    """Words for times, with or without a unit, in any writing."""
    assert is_time_name(name) and not is_id_name(name)


@pytest.mark.parametrize("name", ["x", "height", "tag_1", "reaction_time", "S00", "sensor 1"])
def test_values_have_no_role(name: str) -> None:
    """A measured quantity, and a numbered name, are neither ids nor times."""
    assert not is_id_name(name) and not is_time_name(name)


def test_counters_are_told() -> None:
    """Counters and ages are times only if they increase, so they have a set of their own."""
    assert all(map(is_counter_name, ["frame", "cycle", "age", "X_Value", "time"]))
    assert not is_counter_name("height")


def test_numbered_names_share_a_stem() -> None:
    """Numbers, letters and wells number names; axes and other words do not."""
    assert stem_of(["ch1 (mV)", "ch2 (mV)"]) == "ch" and stem_of(["mouse a", "mouse b"]) == "mouse"
    assert stem_of(["A1", "A2", "B1"]) == "well" and stem_of(["0.5", "1"]) is None
    assert stem_of(["acc_x", "acc_y"]) is None and stem_of(["left", "right"]) is None
