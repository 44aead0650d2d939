"""`ScoreInputs`: available inputs by name, and the union of two records."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from unwarp.metrics.inputs import ScoreInputs, input_names

CODES = np.arange(6.0).reshape(3, 2)


def test_fields_are_documented() -> None:
    """The docstring lists each field with its shape or unit."""
    text = ScoreInputs.__doc__ or ""
    assert [f.name for f in fields(ScoreInputs) if f"        {f.name}: " not in text] == []


def test_names_of_available_inputs() -> None:
    """Names are those of inputs with a value, reference data with their prefix."""
    inputs = ScoreInputs(codes=CODES, reference=ScoreInputs(labels=np.arange(3)))
    assert inputs.names() == ("codes", "train_labels")
    assert ScoreInputs().names() == ()
    assert set(inputs.names()) <= set(input_names())


def test_train_inputs_are_of_reference() -> None:
    """The prefix `train_` reads the reference; None if there is none."""
    inputs = ScoreInputs(codes=CODES, reference=ScoreInputs(codes=CODES + 1))
    assert inputs.value("codes") is CODES
    np.testing.assert_array_equal(inputs.value("train_codes"), CODES + 1)
    assert ScoreInputs(codes=CODES).value("train_codes") is None


def test_union_prefers_second_record() -> None:
    """Of two records, the values of the second one replace those of the first."""
    first, second = ScoreInputs(codes=CODES, size=(4,)), ScoreInputs(codes=CODES + 1)
    union = first | second
    np.testing.assert_array_equal(union.codes, CODES + 1)  # type: ignore[arg-type]
    assert union.size == (4,)
    assert first.codes is CODES
