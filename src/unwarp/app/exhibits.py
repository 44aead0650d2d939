"""What `unwarp sample | interpolate | traverse | arithmetic` show: as a figure, as moving pictures, or as arrays."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from unwarp import analysis, plots
from unwarp.analysis.embedding import encode
from unwarp.analysis.latents import Traversal
from unwarp.app.parts import open_source
from unwarp.core import Array, LatentDensity, LatentPart, PathKind
from unwarp.errors import ConfigError, DataError
from unwarp.estimators.unwarper import Unwarper
from unwarp.plots.animation import animate, moving
from unwarp.storage import write_file


@dataclass(frozen=True)
class Exhibit:
    """One thing to look at, in every form in which it can be written.

    Attributes:
        facts: What it is, in a few words and numbers.
        arrays: Its numbers; samples are in the range of the data.
        figure: Draws it.
        frames: Draws it moving, (F, height, width, 3); None where nothing moves.
    """

    facts: Mapping[str, Any]
    arrays: Mapping[str, Array]
    figure: Callable[[], Figure]
    frames: Callable[[], Array] | None = None

    def write(self, out: Path) -> None:
        """Write a figure (.png), moving pictures (.gif) or arrays (.npz), as the suffix of `out` says.

        Raises:
            ConfigError: Another suffix, or .gif where nothing moves.
        """
        written = io.BytesIO()
        if out.suffix == ".png":
            self.figure().savefig(written, format="png")
        elif out.suffix == ".npz":
            np.savez_compressed(written, **self.arrays)  # type: ignore[arg-type]
        elif out.suffix == ".gif" and self.frames is not None:
            written.write(animate(self.frames()))
        else:
            forms = ".png, .gif or .npz" if self.frames else ".png or .npz"
            raise ConfigError(
                f"{out} has the suffix {out.suffix!r}; give a file that ends in {forms}"
            )
        write_file(out, written.getvalue())


def observed(model: Unwarper, source: str) -> Tensor:
    """Samples of a file, a folder, or a built-in data set's held-out part, as `model` sees them (N, *shape)."""
    return model.prepare(open_source(source))


def numbers(text: str, option: str) -> tuple[int, ...]:
    """Sample numbers from text such as `1,2,3`.

    Raises:
        ConfigError: Text that is no such list.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(
            f"{option} {text!r} is no list of sample numbers; write it as 1,2,3"
        ) from None


def chosen(x: Tensor, rows: Sequence[int], option: str) -> Tensor:
    """The samples `rows` of `x` (N, *shape), counted from 0.

    Raises:
        DataError: A number that no sample has.
    """
    if wrong := [row for row in rows if not 0 <= row < len(x)]:
        raise DataError(
            f"{option} {wrong[0]}: no such sample; the source holds {len(x):,}, numbered 0 to {len(x) - 1}"
        )
    return x[list(rows)]


def samples(model: Unwarper, n: int, source: LatentDensity, seed: int) -> Exhibit:
    """`n` new samples, from the prior or from a mixture fitted to the training samples' latents."""
    made = np.asarray(model.sample(n, source=source, random_state=seed))
    shown = model.schema_.scaler.apply(made)
    facts = {"samples": n, "from": source, "seed": seed}
    return Exhibit(facts, {"x": made}, lambda: plots.samples(shown))


def interpolation(
    model: Unwarper, x: Tensor, ends: tuple[int, int], n: int, path: PathKind
) -> Exhibit:
    """The way from one sample of `x` to another."""
    a, b = chosen(x, ends, "sample")
    found = analysis.interpolate(model.model_, a, b, n, path)
    content, theta, templates, x_hat = (
        part.numpy() for part in (found.content, found.theta, found.templates, found.x_hat)
    )
    drawn = {
        "template": model.schema_.scaler.undo(templates),
        "x_hat": model.schema_.scaler.undo(x_hat),
    }
    names = np.array([f.name for f in model.model_.chart.factors])
    return Exhibit(
        {"samples": list(ends), "path": path, "steps": n},
        {"content": content, "theta": theta, "theta_columns": names, **drawn},
        lambda: plots.interpolation(np.stack([a.numpy(), b.numpy()]), templates, x_hat),
        lambda: moving({"template": templates, "deformed": x_hat}),
    )


def traversal(
    model: Unwarper, x: Tensor, of: LatentPart, index: int | None, n: int, span: float
) -> Exhibit:
    """A row for each dimension of the content, or for each column of the deformation."""
    found, unit = _walk(model, x, of, index, n, span)
    values, drawn = found.values.numpy(), found.x.numpy()
    words = {
        name: [f"{plots.number(v)} {unit}" for v in row]
        for name, row in zip(found.labels, values, strict=True)
    }
    made = model.schema_.scaler.undo(drawn.reshape(-1, *drawn.shape[2:])).reshape(drawn.shape)
    rows = np.array([axis.name for axis in found.axes])
    return Exhibit(
        {"of": of, "index": index, "rows": [label.replace("\n", ", ") for label in found.labels]},
        {"rows": rows, "values": values, "figures": found.figures.numpy(), "x": made},
        lambda: plots.traversal(found.labels, values, drawn, unit),
        lambda: moving(dict(zip(found.labels, drawn, strict=True)), words),
    )


def _walk(
    model: Unwarper, x: Tensor, of: LatentPart, index: int | None, n: int, span: float
) -> tuple[Traversal, str]:
    """The rows, and the unit of what they share."""
    start = x if index is None else chosen(x, (index,), "--index")
    if of == "content":
        return analysis.traverse(model.model_, x, index=index, span=span, n=n), "sd"
    return analysis.traverse_deformation(
        model.model_, encode(model.model_, start)[0].mean(0), n
    ), ""


def arithmetic(
    model: Unwarper, x: Tensor, plus: Sequence[int], minus: Sequence[int], to: Sequence[int]
) -> Exhibit:
    """The mean content of `plus` without that of `minus`, added to the samples `to`."""
    added, taken, changed = (
        chosen(x, rows, name) for rows, name in ((plus, "--plus"), (minus, "--minus"), (to, "--to"))
    )
    found = analysis.arithmetic(model.model_, added, taken, changed)
    parts = {"to": found.to, "plus": found.plus, "minus": found.minus, "result": found.result}
    shown = {name: part.templates.numpy() for name, part in parts.items()} | {
        "seen": found.result.x_hat.numpy()
    }
    return Exhibit(
        {"plus": list(plus), "minus": list(minus), "to": list(to)},
        {
            "content": found.result.content.numpy(),
            **{name: model.schema_.scaler.undo(x) for name, x in shown.items()},
        },
        lambda: plots.arithmetic([f"sample {row}" for row in to], **shown),
    )
