"""New samples and walks through latent space, as figures, animations or arrays.

Each function here makes the `Exhibit` of one command: `unwarp sample`, `interpolate`, `traverse` or
`arithmetic`.
"""

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
from unwarp.plots.animation import animate, render_frames
from unwarp.storage import write_file


@dataclass(frozen=True)
class Exhibit:
    """The result of a command in every form that can be written.

    Figures and frames are functions, so that only the requested form is drawn.

    Attributes:
        facts: Words and numbers that describe the result; the command prints them as JSON.
        arrays: Its numbers by name; samples are in the range of the data.
        figure: Function that draws the result as one figure.
        frames: Function that draws it as an animation (F, height, width, 3); None for a result that
            is a single image.

    >>> Exhibit({"samples": 2}, {"x": np.zeros((2, 8))}, Figure).write(Path("x.gif"))
    Traceback (most recent call last):
    unwarp.errors.ConfigError: x.gif has the suffix '.gif'; give a file that ends in .png or .npz
    """

    facts: Mapping[str, Any]
    arrays: Mapping[str, Array]
    figure: Callable[[], Figure]
    frames: Callable[[], Array] | None = None

    def write(self, out: Path) -> None:
        """Write the form that the suffix of a file names.

        Args:
            out: The file: `.png` for a figure, `.gif` for an animation, `.npz` for arrays.

        Raises:
            ConfigError: The suffix is another one, it is `.gif` but `frames` is None, or the file
                cannot be written.
        """
        buffer = io.BytesIO()
        if out.suffix == ".png":
            self.figure().savefig(buffer, format="png")
        elif out.suffix == ".npz":
            np.savez_compressed(buffer, **self.arrays)  # type: ignore[arg-type]
        elif out.suffix == ".gif" and self.frames is not None:
            buffer.write(animate(self.frames()))
        else:
            forms = ".png, .gif or .npz" if self.frames else ".png or .npz"
            raise ConfigError(
                f"{out} has the suffix {out.suffix!r}; give a file that ends in {forms}"
            )
        write_file(out, buffer.getvalue())


def load_samples(model: Unwarper, source: str) -> Tensor:
    """Samples of a file, folder or data set, scaled for a model.

    Args:
        model: A trained estimator.
        source: A path, or the name of a built-in data set; its held-out part is used.

    Returns:
        Samples (N, *shape) in the units of the model.

    Raises:
        DataError: The source cannot be read, or its samples do not fit the model.
    """
    return model.prepare(open_source(source))


def parse_sample_numbers(text: str, option: str) -> tuple[int, ...]:
    """Sample numbers from text such as `1,2,3`.

    Args:
        text: Whole numbers, separated by commas.
        option: The option that holds the text, for the error message.

    Returns:
        The numbers, in the order of the text.

    Raises:
        ConfigError: The text is not a list of whole numbers.

    >>> parse_sample_numbers("4,0,4", "--to")
    (4, 0, 4)
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(
            f"{option} {text!r} is no list of sample numbers; write it as 1,2,3"
        ) from None


def select_samples(x: Tensor, rows: Sequence[int], option: str) -> Tensor:
    """Samples by their numbers, in the order of the numbers.

    Args:
        x: Samples (N, *shape).
        rows: Numbers of samples (M,), counted from 0; a number may be repeated.
        option: The option or argument that holds the numbers, for the error message.

    Returns:
        The selected samples (M, *shape).

    Raises:
        DataError: A number is negative or not below N.
    """
    if absent := [row for row in rows if not 0 <= row < len(x)]:
        raise DataError(
            f"{option} {absent[0]}: no such sample; the source holds {len(x):,} samples, "
            f"numbered from 0 to {len(x) - 1}"
        )
    return x[list(rows)]


def new_samples(model: Unwarper, n: int, source: LatentDensity, seed: int) -> Exhibit:
    """New samples, drawn from a density over the latents of a model.

    Args:
        model: A trained estimator.
        n: Number of samples.
        source: `prior`, `mixture` or `auto`, as for `Unwarper.sample`.
        seed: Seed of the draws.

    Returns:
        An exhibit without frames; its array `x` holds the samples (n, C, ...).

    Raises:
        ConfigError: The family of the model has no prior and `source` is `prior`.
    """
    x = np.asarray(model.sample(n, source=source, random_state=seed))
    scaled = model.schema_.scaler.apply(x)
    facts = {"samples": n, "from": source, "seed": seed}
    return Exhibit(facts, {"x": x}, lambda: plots.samples(scaled))


def interpolation(
    model: Unwarper, x: Tensor, ends: tuple[int, int], n: int, path: PathKind
) -> Exhibit:
    """The path from one sample to another, in content and deformation.

    Args:
        model: A trained estimator.
        x: Samples (N, *shape), scaled for the model.
        ends: Numbers of the first and the last sample.
        n: Number of points on the path, both ends included; at least 2.
        path: `linear` or `spherical` interpolation of content codes.

    Returns:
        An exhibit with the arrays `content` (n, D), `theta` (n, P), `theta_columns` (P,), and
        `template` and `x_hat` (n, *shape).

    Raises:
        DataError: One of the two numbers is no sample of `x`.
    """
    first, last = select_samples(x, ends, "sample")
    rendering = analysis.interpolate(model.model_, first, last, n, path)
    content, theta, templates, x_hat = (
        part.numpy()
        for part in (rendering.content, rendering.theta, rendering.templates, rendering.x_hat)
    )
    undo = model.schema_.scaler.undo
    names = np.array([factor.name for factor in model.model_.chart.factors])
    arrays = {"content": content, "theta": theta, "theta_columns": names}
    return Exhibit(
        {"samples": list(ends), "path": path, "steps": n},
        {**arrays, "template": undo(templates), "x_hat": undo(x_hat)},
        lambda: plots.interpolation(np.stack([first.numpy(), last.numpy()]), templates, x_hat),
        lambda: render_frames({"template": templates, "deformed": x_hat}),
    )


def traversal(
    model: Unwarper, x: Tensor, of: LatentPart, index: int | None, n: int, span: float
) -> Exhibit:
    """Latent traversals, one row for each content dimension or deformation column.

    Args:
        model: A trained estimator.
        x: Samples (N, *shape), scaled for the model; they say how codes are spread.
        of: `content` or `deformation`, the part of the latents that is varied.
        index: Number of the sample to start from; None for the mean code of `x`.
        n: Number of samples in a row; at least 2.
        span: Reach to either side of the start in standard deviations; content only.

    Returns:
        An exhibit with the arrays `rows` (R,), `values` (R, n), `figures` (R,) and
        `x` (R, n, *shape).

    Raises:
        ConfigError: `n` is below 2, `span` is not positive, or the model has no deformation.
        DataError: `index` is no sample of `x`.
    """
    walk, unit = _traverse(model, x, of, index, n, span)
    values, scaled = walk.values.numpy(), walk.x.numpy()
    captions = {
        label: [f"{plots.format_number(value)} {unit}" for value in row]
        for label, row in zip(walk.labels, values, strict=True)
    }
    flat = scaled.reshape(-1, *scaled.shape[2:])
    samples = model.schema_.scaler.undo(flat).reshape(scaled.shape)
    rows = np.array([axis.name for axis in walk.axes])
    labels = [label.replace("\n", ", ") for label in walk.labels]
    return Exhibit(
        {"of": of, "index": index, "rows": labels},
        {"rows": rows, "values": values, "figures": walk.row_scores.numpy(), "x": samples},
        lambda: plots.traversal(walk.labels, values, scaled, unit),
        lambda: render_frames(dict(zip(walk.labels, scaled, strict=True)), captions),
    )


def _traverse(
    model: Unwarper, x: Tensor, of: LatentPart, index: int | None, n: int, span: float
) -> tuple[Traversal, str]:
    """The traversal, and the unit that all its rows share; empty for several units."""
    start = x if index is None else select_samples(x, (index,), "--index")
    if of == "content":
        return analysis.traverse(model.model_, x, index=index, span=span, n=n), "sd"
    content = encode(model.model_, start)[0].mean(0)
    return analysis.traverse_deformation(model.model_, content, n), ""


def arithmetic(
    model: Unwarper, x: Tensor, plus: Sequence[int], minus: Sequence[int], to: Sequence[int]
) -> Exhibit:
    """Latent arithmetic: a difference of mean contents, added to samples.

    Args:
        model: A trained estimator.
        x: Samples (N, *shape), scaled for the model.
        plus: Numbers of the samples with the mean content that is added.
        minus: Numbers of the samples with the mean content that is subtracted.
        to: Numbers of the M samples that are changed.

    Returns:
        An exhibit without frames. Its arrays are `content` (M, D) of the results; templates of the
        samples `to`, of the means `plus` and `minus`, and of `result`; and
        `deformed`, the results deformed as the samples are.

    Raises:
        DataError: A number is no sample of `x`.
    """
    groups = (
        select_samples(x, rows, option)
        for rows, option in ((plus, "--plus"), (minus, "--minus"), (to, "--to"))
    )
    terms = analysis.arithmetic(model.model_, *groups)
    parts = {"to": terms.to, "plus": terms.plus, "minus": terms.minus, "result": terms.result}
    panels = {name: part.templates.numpy() for name, part in parts.items()}
    panels["deformed"] = terms.result.x_hat.numpy()
    samples = {name: model.schema_.scaler.undo(panel) for name, panel in panels.items()}
    return Exhibit(
        {"plus": list(plus), "minus": list(minus), "to": list(to)},
        {"content": terms.result.content.numpy(), **samples},
        lambda: plots.arithmetic([f"sample {row}" for row in to], **panels),
    )
