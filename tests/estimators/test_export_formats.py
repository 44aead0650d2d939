"""Parts of formats that need no trained model."""

from __future__ import annotations

import io
import json
import logging

import pytest
import torch
from torch import Tensor, nn

from unwarp.errors import ConfigError
from unwarp.estimators import export_formats
from unwarp.estimators.export_formats import (
    METADATA_KEY,
    check_packages,
    quiet,
    search_sorted,
    select_onnx,
    select_program,
    to_onnx,
    trace,
)


class Pair(nn.Module):
    """A sum of weights times the samples, and knots up to the samples."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[1.0, 2.0, 3.0]]), requires_grad=False)

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Sums (N,), and numbers of knots (N, 3)."""
        knots = self.weight.expand(len(samples), -1)
        counts = torch.searchsorted(knots.contiguous(), samples, right=True)
        return (self.weight * samples).sum(1), counts + torch.hypot(samples, samples)


SAMPLES = torch.tensor([[0.5, 1.0, 3.5], [2.0, 2.5, -1.0], [3.0, 0.0, 9.0], [1.0, 1.0, 1.0]])


def test_bisection_counts_knots() -> None:
    """As `searchsorted`, with equal knots and values at knots."""
    knots = torch.tensor([[0.0, 1.0, 1.0, 2.0, 5.0], [-1.0, 0.0, 0.5, 0.5, 0.5]])
    values = torch.tensor([[-1.0, 0.0, 1.0, 1.5, 9.0], [0.5, 0.4, -2.0, -1.0, 0.6]])
    counts = search_sorted(knots, values, right=True)
    assert torch.equal(counts, torch.searchsorted(knots, values, right=True))


def test_programs_have_one_output() -> None:
    """A file of one output takes batches of any number and holds its description."""
    program = trace(Pair(), SAMPLES[:3])
    for index, expected in enumerate(Pair()(SAMPLES)):
        files = {METADATA_KEY: ""}
        content = io.BytesIO(select_program(program, index, json.dumps({"index": index})))
        with quiet():
            part = torch.export.load(content, extra_files=files)
        torch.testing.assert_close(part.module()(SAMPLES), expected)
        assert len(part.module()(SAMPLES[:1])) == 1
        assert json.loads(files[METADATA_KEY]) == {"index": index}


def test_onnx_models_have_one_output() -> None:
    """A model of one output takes batches of any number and holds its description."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    content = to_onnx(trace(Pair(), SAMPLES[:3]), ("sums", "counts"))
    for index, (name, expected) in enumerate(zip(("sums", "counts"), Pair()(SAMPLES), strict=True)):
        part = select_onnx(content, index, "{}")
        session = runtime.InferenceSession(part)
        assert [output.name for output in session.get_outputs()] == [name]
        for n in (1, 4):
            (values,) = session.run(None, {"samples": SAMPLES[:n].numpy()})
            torch.testing.assert_close(torch.from_numpy(values), expected[:n])
        properties = onnx.load_from_string(part).metadata_props
        assert {entry.key: entry.value for entry in properties}[METADATA_KEY] == "{}"


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the extra, and programs of torch need none."""
    monkeypatch.setattr(export_formats, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"unwarp\[onnx\]"):
        check_packages("onnx")
    check_packages("torch")


def test_remarks_of_exporters_are_hidden() -> None:
    """Within the context alone."""
    logger = logging.getLogger(export_formats.LOGGERS[0])
    before = logger.level
    with quiet():
        assert not logger.isEnabledFor(logging.WARNING)
    assert logger.level == before
