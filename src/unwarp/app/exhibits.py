"""New samples and paths through latent space, as figures, animations or arrays.

`new_samples`, `interpolation`, `traversal` and `arithmetic` make the results (`Exhibit`) of the
commands `unwarp sample`, `interpolate`, `traverse` and `arithmetic`. Latents are the content code
and the deformation of a sample; a template is a decoded content code without deformation.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from unwarp.storage.files import write_file


@dataclass(frozen=True)
class Exhibit:
    """The result of a command, as a figure, an animation or arrays.

    The figure and the animation are drawn by functions, so that only the requested form is drawn.

    Attributes:
        facts: Words and numbers that describe the result; the command prints them as JSON.
        arrays: Arrays of the result by name; samples are in the range of the training data.
        figure: Function that draws the result as one figure.
        frames: Function that draws the frames (F, height, width, 3) of an animation; None for a
            result without an animation.

    >>> Exhibit({"samples": 2}, {"x": np.zeros((2, 8))}, Figure).write(Path("x.gif"))
    Traceback (most recent call last):
    unwarp.errors.ConfigError: x.gif has the suffix '.gif'; give a file that ends in .png or .npz
    """

    facts: Mapping[str, Any]
    arrays: Mapping[str, Array]
    figure: Callable[[], Figure]
    frames: Callable[[], Array] | None = None

    def write(self, out: Path, inputs: Iterable[str | Path] = ()) -> None:
        """Write the result as a figure, an animation or arrays.

        Args:
            out: The file: `.png` for a figure, `.gif` for an animation, `.npz` for arrays.
            inputs: Files and folders that the result was made from, which stay as they are.

        Raises:
            ConfigError: The file has another suffix, it is a `.gif` but the result has no
                animation, it is one of the inputs, or it cannot be written.
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
        write_file(out, buffer.getvalue(), inputs)


def load_samples(model: Unwarper, source: str) -> Tensor:
    """Samples of a file, folder or data set, scaled for a model.

    Args:
        model: A trained estimator.
        source: A path, or the name of a built-in data set; its held-out part is used.

    Returns:
        Samples (N, *shape), scaled for the model.

    Raises:
        DataError: The source cannot be read, or its samples do not fit the model.
    """
    return model.prepare(open_source(source, estimator=model))


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
            f"{option} {text!r} is no list of sample numbers; write them as 1,2,3"
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
            f"choose numbers from 0 to {len(x) - 1}"
        )
    return x[list(rows)]


def new_samples(model: Unwarper, n: int, source: LatentDensity, seed: int) -> Exhibit:
    """New samples, decoded from random latents.

    Args:
        model: A trained estimator.
        n: Number of samples.
        source: Distribution of the latents: `prior`, `mixture` or `auto`, as for `Unwarper.sample`.
        seed: Seed of the random latents.

    Returns:
        An exhibit without an animation. Its array `x` holds the samples (n, C, ...).

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
        An exhibit with one row per point of the path in its arrays: `content` (n, D), the
        parameters `theta` of the deformation (n, P) with their names `theta_columns` (P,), the
        `template` (n, *shape), and the deformed template `x_hat` (n, *shape).

    Raises:
        DataError: One of the two numbers is negative or not below N.
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
    """Latent traversals: in each row one dimension of the latents varies.

    Args:
        model: A trained estimator.
        x: Samples (N, *shape), scaled for the model. Their codes determine the mean code and the
            standard deviations.
        of: Part of the latents that is varied: `content` or `deformation`.
        index: Number of the sample that gives the content code in the middle of each row; None for
            the mean code of `x`.
        n: Number of samples in a row; at least 2.
        span: Distance from the middle to either end of a row, in standard deviations. Only for
            `of="content"`; a deformation varies over its range.

    Returns:
        An exhibit with the samples `x` (R, n, *shape) of R rows, the names of the dimensions that
        vary, `rows` (R,), and their `values` (R, n). For content, `figures` (R,) are the numbers
        that the rows are sorted by: KL divergences from the prior in nats, or standard deviations
        of the codes if the encoder is deterministic. For deformations, `figures` is empty.

    Raises:
        ConfigError: `n` is below 2, `span` is not positive, or the model has no deformation.
        DataError: `index` is negative or not below N.
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
    """The traversal, and the unit of its values; empty for deformations, which name theirs.

    Args:
        model: A trained estimator.
        x: Samples (N, *shape), scaled for the model.
        of: `content` or `deformation`.
        index: Number of the sample that gives the content code in the middle of each row; None for
            the mean code of `x`.
        n: Number of samples in a row.
        span: Distance to either end of a row, in standard deviations; content only.
    """
    start = x if index is None else select_samples(x, (index,), "--index")
    if of == "content":
        return analysis.traverse(model.model_, x, index=index, span=span, n=n), "sd"
    content = encode(model.model_, start)[0].mean(0)
    return analysis.traverse_deformation(model.model_, content, n), ""


def arithmetic(
    model: Unwarper, x: Tensor, plus: Sequence[int], minus: Sequence[int], to: Sequence[int]
) -> Exhibit:
    """Latent arithmetic: add the difference of two mean codes to samples.

    Args:
        model: A trained estimator.
        x: Samples (N, *shape), scaled for the model.
        plus: Numbers of the samples with the mean code that is added.
        minus: Numbers of the samples with the mean code that is subtracted.
        to: Numbers of the M samples that are changed.

    Returns:
        An exhibit without an animation. Its arrays are the content codes of the results, `content`
        (M, D); the templates of the samples, `to` (M, *shape), of the two mean codes, `plus` and
        `minus` (1, *shape), and of the results, `result` (M, *shape); and the results under the
        deformations of the samples, `deformed` (M, *shape).

    Raises:
        DataError: A number is negative or not below N.
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
