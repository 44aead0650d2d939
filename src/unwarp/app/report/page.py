"""The report of a run: one self-contained HTML page, and its figures as files of their own."""

from __future__ import annotations

from html import escape
from pathlib import Path

from unwarp.app.outcome import Outcome, _series, versions
from unwarp.app.report import figures, shown
from unwarp.app.report.checks import _checks, _evidence
from unwarp.app.report.html import STYLESHEET, _figure, _kind, _png
from unwarp.app.report.scores import _budget, _recovery, _scores, _time
from unwarp.app.report.shown import _crowd
from unwarp.models import Recipe
from unwarp.plots.animation import animate
from unwarp.storage import write_file


def write(outcome: Outcome, folder: Path) -> Path:
    """Draw the figures of a run into `folder` and bind them into `folder/report.html`."""
    drawn = {name: _png(figure) for name, figure in figures.draw(outcome).items()}
    drawn |= {name: animate(frames) for name, frames in figures.moving_pictures(outcome).items()}
    for name, data in drawn.items():
        write_file(folder / f"{name}.{_kind(data)}", data)
    page = folder / "report.html"
    write_file(page, html(outcome, drawn))
    return page


def html(outcome: Outcome, drawn: dict[str, bytes]) -> str:
    """The page: verdict first, then what was seen, then how it was made."""
    parts = [
        _head(outcome),
        _figure(drawn, "gallery", _gallery(outcome)),
        "<h2>Did it work on this data?</h2>", _evidence(outcome), _checks(outcome),
        _time(outcome, drawn) if _series(outcome) else
        _figure(drawn, "deformations", "The deformations found in held-out samples. Dotted lines are the ends of what one "
                "stage may predict; heaps there mean that the range is too narrow."),
        "<h2>What the code knows</h2>", _scores(outcome),
        _figure(drawn, "latent_space", f"t-SNE of the content codes of {_crowd(outcome, 'samples')}; colours, where there are any, are "
                "the true classes, which no model has seen."),
        _figure(drawn, "clusters", "The centres of the clusters in content, decoded: templates that nobody drew."),
        _recovery(outcome, drawn),
        _looking(outcome, drawn),
        "<h2>How it was made</h2>", _making(outcome), _figure(drawn, "training", _course(outcome)),
    ]  # fmt: skip
    body = "\n".join(parts)
    title = f"Unwarp: {escape(outcome.test.name)}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLESHEET}</style></head><body>{body}</body></html>'
    )


def _head(outcome: Outcome) -> str:
    name, n, held = escape(outcome.test.name), len(outcome.training), len(outcome.test)
    few = f" With {held} samples, no score is more exact than {1 / held:.0%}." if held < shown.ENOUGH else ""
    return (
        f"<h1>{name}, unwarped</h1><p>A model learned from {n:,} samples, without labels, to say of each one what it shows "
        f"(a <b>content code</b> and a <b>template</b>) and how that was moved (the <b>deformation</b>). Every score on this "
        f"page was measured on {held:,} samples that it never saw in training. Beside it stands the same model without a "
        f"warp, with as many latent numbers in total and {_budget(outcome)}.{few}</p>"
    )


def _gallery(outcome: Outcome) -> str:
    first, undone = ("series", ", the same with their warps undone") if _series(outcome) else ("samples", "")
    return (
        f"Held-out {first}{undone}, what each looks like undeformed (its template), the template deformed as the sample was "
        f"found to be, and what the same network without a warp makes of it.{_reader(outcome)}"
    )


def _looking(outcome: Outcome, drawn: dict[str, bytes]) -> str:
    stochastic = outcome.warped.unwarper.recipe_.stochastic
    sorting = (
        "by their rate, the KL divergence from the prior in nats: a row near 0 carries nothing"
        if stochastic
        else "by the standard deviation of the codes"
    )
    fits = outcome.warped.unwarper.recipe_.prior == "learned"
    step = "of the prior" if stochastic else "of the codes along that dimension"
    parts = [
        "<h2>Looking inside</h2>",
        _figure(drawn, "traversal", f"Templates about the mean code, one content dimension moved at a time; sd: standard "
                f"deviation {step}. Rows are sorted {sorting}; at most {shown.ROWS} are shown."),
        _figure(drawn, "deformation", "The template of a typical series under the deformations that were found, along the directions in "
                "which these vary most, with their share of the variance; sd: standard deviation along a direction."
                if _series(outcome) else
                "One template, deformed along one factor at a time over the range that one stage may predict; everything else "
                "stands still."),
        _figure(drawn, "interpolation", "From one held-out sample to another: codes are joined by a straight line, "
                "deformations factor by factor."),
        _figure(drawn, "arithmetic", "Feature arithmetic on templates: within one kind, along the direction in which its codes vary most, "
                "the mean code of the samples at one end is added and that of the samples at the other end taken away, in typical "
                "samples of other kinds. What tells plus from minus should be what changes. Kinds are true classes where they are "
                "known, else clusters."),
        _figure(drawn, "moving", "The same way there and back."),
        _figure(drawn, "prior", "New samples: code and deformation drawn from the prior. Frames that are empty or torn mean that the "
                f"prior over the deformation is wider than what was found{'' if fits else '; prior=learned fits it'}."),
        _figure(drawn, "mixture", "New samples: code and deformation drawn from a Gaussian mixture that was fitted to those "
                "of the training samples."),
    ]  # fmt: skip
    return "".join(parts)


def _reader(outcome: Outcome) -> str:
    """Who read codes and deformations, where that is not who was trained on samples."""
    if not figures.adversarial(outcome.warped.unwarper.history_.rows):
        return ""
    return " Codes and deformations are read by a network that saw only generated samples in training."


def _course(outcome: Outcome) -> str:
    """What the curves of the training show."""
    if not figures.adversarial(outcome.warped.unwarper.history_.rows):
        return "Reconstruction term of the training loss."
    return (
        "The game, on one batch at every tenth step. D is the sigmoid of the critic's logit, averaged over real (x) and generated "
        "(G(z)) samples: both near 0.5 where the critic cannot tell them apart. Coverage is the share of the batch with a generated "
        "sample nearer than its fifth real neighbour, in pixels or values: about 0.97 for a perfect generator, near 0 where kinds are "
        "missing. Inferred content is compared with that of generated samples, squared and summed: at the number of content "
        "dimensions, codes make no difference. Gradient norms are those before clipping."
    )


def _making(outcome: Outcome) -> str:
    recipe: Recipe = outcome.warped.unwarper.recipe_
    history = outcome.warped.unwarper.history_
    facts = {
        "data": ", ".join(filter(None, (outcome.training.source or outcome.training.name, outcome.training.licence))),
        "training": f"{history.steps:,} steps in {history.seconds:.0f} s",
        "seed": str(outcome.job.seed),
        "recipe": repr(recipe),
        "versions": ", ".join(f"{k} {v}" for k, v in versions().items()),
    }
    return "<dl>" + "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in facts.items()) + "</dl>"
