"""Graphs of tensors as ONNX models and as programs of `torch.export`."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from unwarp.errors import ConfigError

METADATA_KEY = "unwarp"
"""Name of the description in the metadata of a file."""

PACKAGES = {"onnx": ("onnx", "onnxscript"), "torch": ()}
"""Packages that a format needs."""

LOGGERS = ("torch.onnx", "onnxscript", "onnx_ir")
"""Loggers of the exporter, which tell of packages and folded constants that do not matter."""


def check_packages(to: str) -> None:
    """Refuse a format whose packages are not installed.

    Args:
        to: Name of the format.

    Raises:
        ConfigError: The message names the extra to install.
    """
    if missing := [name for name in PACKAGES[to] if find_spec(name) is None]:
        raise ConfigError(
            f"to={to!r} needs the package {missing[0]}; install it with: "
            "pip install 'unwarp[onnx]', or set to='torch'"
        )


def trace(module: nn.Module, example: Tensor) -> ExportedProgram:
    """The program of a module, for batches of any number of samples.

    Args:
        module: A module with one argument.
        example: Some samples (N, ...), N at least 2.

    Raises:
        torch._dynamo.exc.TorchDynamoException: The module branches on values.
    """
    # tracing the bytecode keeps the number of samples a symbol, which `len(x)` would bind otherwise
    return _export(module, example, strict=True)


def _export(module: nn.Module, example: Tensor, strict: bool) -> ExportedProgram:
    """The program of a module; the batch is a symbol."""
    shapes = ({0: Dim("batch")},)
    with torch.no_grad(), quiet():
        return torch.export.export(module, (example,), dynamic_shapes=shapes, strict=strict)


@contextmanager
def quiet() -> Iterator[None]:
    """Context without the remarks of exporters.

    They name nothing that a user could change.
    """
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            # torch's own use of deprecated functions while it traces and copies programs
            warnings.filterwarnings("ignore", category=FutureWarning)
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


class Selected(nn.Module):
    """One output of a module with several.

    Args:
        module: The module.
        index: Number of the output, from 0.

    >>> class Pair(nn.Module):
    ...     def forward(self, samples):
    ...         return samples, -samples
    >>> Selected(Pair(), 1)(torch.ones(1))
    tensor([-1.])
    """

    def __init__(self, module: nn.Module, index: int) -> None:
        super().__init__()
        self.module, self.index = module, index

    def forward(self, samples: Tensor) -> Tensor:
        """The output for `samples`."""
        output: Tensor = self.module(samples)[self.index]
        return output


def select_program(program: ExportedProgram, index: int, text: str) -> bytes:
    """A file of `torch.export` for one output of a program.

    Args:
        program: A program with one argument and several outputs.
        index: Number of the output, from 0.
        text: Description for the file, JSON.

    Returns:
        The content of a .pt2 file; `torch.export.load` with `extra_files={"unwarp": ""}` reads the
        description, too.
    """
    example: Tensor = program.example_inputs[0][0]
    with quiet():
        part = _export(Selected(program.module(check_guards=False), index), example, strict=False)
        part.graph_module.graph.eliminate_dead_code()
        part.graph_module.recompile()
        buffer = io.BytesIO()
        torch.export.save(part, buffer, extra_files={METADATA_KEY: text})
    return buffer.getvalue()


def to_onnx(program: ExportedProgram, names: Sequence[str]) -> bytes:
    """A program as an ONNX model with all its outputs.

    Args:
        program: A program with one argument.
        names: Names of its outputs.

    Returns:
        The serialised model.
    """
    with torch.no_grad(), quiet():
        plain = program.run_decompositions(_decompositions())
        model = torch.onnx.export(
            plain, dynamo=True, verbose=False, input_names=["samples"], output_names=list(names)
        )
    assert model is not None
    content: bytes = model.model_proto.SerializeToString()
    return content


def _decompositions() -> dict[Any, Callable[..., Any]]:
    """Operators that ONNX lacks, as sequences of others."""
    aten = torch.ops.aten
    return {
        aten.searchsorted.Tensor: search_sorted,
        aten.hypot.default: lambda a, b: (a.square() + b.square()).sqrt(),
    }


def select_onnx(content: bytes, index: int, text: str) -> bytes:
    """An ONNX model with one output of another, and what it needs.

    Args:
        content: A serialised model.
        index: Number of the output, from 0.
        text: Description for the metadata, JSON.

    Returns:
        The serialised model.
    """
    import onnx
    import onnx_ir
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    model = onnx_ir.from_proto(onnx.load_from_string(content))
    output = model.graph.outputs[index]
    model.graph.outputs.clear()
    model.graph.outputs.append(output)
    RemoveUnusedNodesPass()(model)
    model.metadata_props[METADATA_KEY] = text
    part: bytes = onnx_ir.to_proto(model).SerializeToString()
    return part


def search_sorted(
    knots: Tensor,
    values: Tensor,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Number of knots up to each value, by bisection: `torch.searchsorted` with `right`.

    Args:
        knots: Increasing numbers (N, K).
        values: Values (N, P).
        out_int32: Not used: results are int64.
        right: True; other arguments of `torch.searchsorted` are not used.
        side: Not used.
        sorter: Not used.

    Returns:
        Numbers (N, P) from 0 to K.

    >>> search_sorted(torch.tensor([[0.0, 1.0, 1.0]]), torch.tensor([[-1.0, 1.0]]), right=True)
    tensor([[0, 3]])
    """
    assert right and sorter is None
    n_knots = knots.shape[-1]
    count = torch.zeros_like(values, dtype=torch.int64)
    for bit in reversed(range(n_knots.bit_length())):
        larger = count + 2**bit
        last = knots.gather(-1, larger.clamp(max=n_knots) - 1)
        count = torch.where((larger <= n_knots) & (last <= values), larger, count)
    return count
