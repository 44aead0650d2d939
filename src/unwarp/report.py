"""The report of a run: one self-contained HTML page, and its figures as files of their own."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from matplotlib.figure import Figure

from unwarp import figures
from unwarp.animation import animate
from unwarp.models import Recipe
from unwarp.results import put
from unwarp.runs import Outcome, versions

STYLESHEET = """
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, sans-serif; color: #20242c; background: #fff; max-width: 62rem; margin: 2.5rem auto;
  padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2.6rem 0 .4rem; }
p { max-width: 46rem; } .quiet { color: #5b6472; } img { max-width: 100%; height: auto; display: block; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .8rem 0; }
th, td { padding: .32rem .9rem .32rem 0; text-align: right; border-bottom: 1px solid #e4e7ec; }
th:first-child, td:first-child { text-align: left; } thead th { color: #5b6472; font-weight: 600; }
td.best { font-weight: 700; } .verdict { display: inline-block; min-width: 4.2rem; font-weight: 600; }
.good { color: #1d7a46; } .look { color: #b25b00; } figure { margin: 1rem 0; }
figcaption { color: #5b6472; font-size: .92rem; max-width: 46rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.2rem; } dt { color: #5b6472; }
dd { margin: 0; overflow-wrap: anywhere; }
"""


PICTURE_NOTE = (
    "<p>Neighbours, probe and clusters are fitted on codes of the training samples and scored on held-out ones. The pixel "
    "columns learn nothing: raw pixels, and pixels whose second moments were made round (deskewed), clustered by k-means and "
    "by a Gaussian mixture. A method that does not beat them has shown nothing.</p>"
)
SERIES_NOTE = (
    "<p>Neighbours, class means, probe and clusters are fitted on the training series and scored on held-out ones: on the content "
    "codes of both models, on the series as they are (raw), and on the series with their warps undone (aligned).</p>"
)


@dataclass(frozen=True)
class Line:
    """One line of the score table: a name for people, a key, how to print it, and whether more is better."""

    words: str
    key: str
    form: str
    more: bool = True


SERIES = (
    Line("nearest neighbour (1-NN), accuracy", "1nn", "{:.1%}"),
    Line("nearest class mean, accuracy", "centroid", "{:.1%}"),
)
"""Scores of series, before those of all data."""
SCORES = (
    Line("5 nearest neighbours, accuracy", "neighbours", "{:.1%}"),
    Line("linear probe, accuracy", "linear", "{:.1%}"),
    Line("k-means, accuracy (ACC)", "acc", "{:.1%}"),
    Line("k-means, mutual information (NMI)", "nmi", "{:.1%}"),
    Line("k-means on templates, ACC", "template_acc", "{:.1%}"),
    Line("variance explained", "explained", "{:.1%}"),
    Line("squared error a sample", "reconstruction_error", "{:.3g}", more=False),
)
POSE = (
    Line("rotation", "angle_deg", "{:.2f} degrees", more=False),
    Line("shift", "shift_px", "{:.3f} pixels", more=False),
    Line("scale", "scale", "{:.4f}", more=False),
    Line("shear", "shear_deg", "{:.2f} degrees", more=False),
    Line("largest distance of the time maps", "warp_error", "{:.3f} of the length", more=False),
)


def write(outcome: Outcome, folder: Path) -> Path:
    """Draw the figures of a run into `folder` and bind them into `folder/report.html`."""
    drawn = {name: _png(figure) for name, figure in figures.draw(outcome).items()}
    drawn |= {name: animate(frames) for name, frames in figures.moving_pictures(outcome).items()}
    for name, data in drawn.items():
        put(folder / f"{name}.{_kind(data)}", data)
    page = folder / "report.html"
    put(page, html(outcome, drawn))
    return page


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _kind(data: bytes) -> str:
    return "gif" if data.startswith(b"GIF8") else "png"


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
    few = f" With {held} samples, no score is more exact than {1 / held:.0%}." if held < figures.ENOUGH else ""
    return (
        f"<h1>{name}, unwarped</h1><p>A model learned from {n:,} samples, without labels, to say of each one what it shows "
        f"(a <b>content code</b> and a <b>template</b>) and how that was moved (the <b>deformation</b>). Every score on this "
        f"page was measured on {held:,} samples that it never saw in training. Beside it stands the same model without a "
        f"warp, with as many latent numbers in total and {_budget(outcome)}.{few}</p>"
    )


def _budget(outcome: Outcome) -> str:
    """What both models were given alike."""
    first, second = (trial.unwarper.history_.steps for trial in outcome.trials.values())
    if first == second:
        return "as many training steps"
    return f"the same bound of {outcome.job.seconds:g} seconds on its training ({first:,} and {second:,} steps)"


def _series(outcome: Outcome) -> bool:
    return outcome.test.x.ndim == 3


def _crowd(outcome: Outcome, noun: str) -> str:
    """Which samples a figure of many shows."""
    n = len(outcome.training) + len(outcome.test)
    return f"held-out {noun}" if figures.held_out_alone(outcome) else f"all {n} {noun}, since few are held out"


def _gallery(outcome: Outcome) -> str:
    first, undone = ("series", ", the same with their warps undone") if _series(outcome) else ("samples", "")
    return (
        f"Held-out {first}{undone}, what each looks like undeformed (its template), the template deformed as the sample was "
        f"found to be, and what the same network without a warp makes of it.{_reader(outcome)}"
    )


def _time(outcome: Outcome, drawn: dict[str, bytes]) -> str:
    """What series alone are shown by."""
    clusters = (
        f"{_crowd(outcome, 'series').capitalize()}, overlaid cluster by cluster. Left: as observed, with their mean. Right: with "
        "their warps undone, and the cluster's template, which is its centre in content, decoded. Bands: root mean square "
        "distance from that line. Clusters are found without labels, as many as there are classes where these are known; at most "
        f"{figures.CLUSTERS} are shown, the largest."
    )
    warps = (
        "Warps of time, coloured by cluster. Left: the moment of the template that is seen at each moment; on the dotted line "
        "nothing is moved, and below it things are seen later than in the template. Right: local speed; at 2 the "
        "observation runs through its template twice as fast."
    )
    columns = "Lag is the mean of observed minus template time (positive: seen later); speed and acceleration are the extremes of a series."
    averages = (
        "Averages of a few series of the largest clusters (grey, standardised): the cluster's template under the mean warp of these "
        "series, beside their DBA and soft-DTW barycenters and their plain mean. A template also aligns new series in one pass."
    )
    captions = {"alignment": clusters, "warps": warps, "deformations": columns, "averages": averages}
    return "".join(_figure(drawn, name, caption) for name, caption in captions.items())


def _figure(drawn: dict[str, bytes], name: str, caption: str) -> str:
    if name not in drawn:
        return ""
    data = base64.b64encode(drawn[name]).decode()
    alt = escape(caption)
    return f'<figure><img alt="{alt}" src="data:image/{_kind(drawn[name])};base64,{data}"><figcaption>{caption}</figcaption></figure>'


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]], best: Mapping[int, str] | None = None) -> str:
    """A table; in row i every number that reads `best[i]` is bold."""
    lines = ["<table><thead><tr>", *(f"<th>{cell}</th>" for cell in head), "</tr></thead><tbody>"]
    for i, row in enumerate(rows):
        cells = (f'<td class="best">{cell}</td>' if (best or {}).get(i) == cell else f"<td>{cell}</td>" for cell in row)
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "".join([*lines, "</tbody></table>"])


def _scores(outcome: Outcome) -> str:
    columns = _series_columns(outcome) if _series(outcome) else _picture_columns(outcome)
    rows: list[tuple[str, ...]] = []
    best: dict[int, str] = {}
    for line in (*SERIES, *SCORES[1:]) if _series(outcome) else SCORES:
        values = [column.get(line.key) for column in columns.values()]
        known = [value for value in values if value is not None]
        if not known:
            continue
        best[len(rows)] = line.form.format(max(known) if line.more else min(known))
        rows.append((line.words, *("" if value is None else line.form.format(value) for value in values)))
    pace = [f"{t.images_per_second:,.0f}" for t in (outcome.structured, outcome.identity)]
    rows.append(("samples a second, training", *pace, *[""] * (len(columns) - 2)))
    if figures.held_out_alone(outcome):  # the pace of a few samples is that of the first call
        pace = [f"{t.embedding.samples_per_second:,.0f}" for t in (outcome.structured, outcome.identity)]
        rows.append(("samples a second, encoding", *pace, *[""] * (len(columns) - 2)))
    note = SERIES_NOTE if _series(outcome) else PICTURE_NOTE
    return (note if len(columns) > 2 else "") + _table(("", *columns), rows, best)


def _picture_columns(outcome: Outcome) -> dict[str, Mapping[str, float]]:
    """Scores by the head of their column: both models', and those of pixels alone."""
    models = {"with warp": outcome.structured.report.scores, "without": outcome.identity.report.scores}
    found = outcome.baselines.scores
    if not found:
        return models
    near = found["deskewed_neighbours"]
    return {
        **models,
        "raw pixels": {"neighbours": found["raw_neighbours"], "acc": found["raw_acc"], "nmi": found["raw_nmi"]},
        "deskewed pixels": {
            "neighbours": near,
            "acc": found["deskewed_kmeans_acc"],
            "nmi": found["deskewed_kmeans_nmi"],
        },
        "deskewed, mixture": {"acc": found["deskewed_mixture_acc"], "nmi": found["deskewed_mixture_nmi"]},
    }


def _series_columns(outcome: Outcome) -> dict[str, Mapping[str, float]]:
    """Scores by the head of their column: both models' codes, the raw series and the aligned ones."""
    first, second = outcome.structured.report.scores, outcome.identity.report.scores
    columns = {"code, with warp": _named(first, "codes_"), "code, without": _named(second, "codes_")}
    if outcome.baselines.scores:
        columns |= {
            "raw series": _named(outcome.baselines.scores, "raw_", {}),
            "aligned": _named(first, "aligned_", {}),
        }
    return {head: column for head, column in columns.items() if column}


def _named(scores: Mapping[str, float], head: str, start: Mapping[str, float] | None = None) -> Mapping[str, float]:
    """The scores whose names begin with `head`, without it, over those of `start` (None: all)."""
    found = {name.removeprefix(head): value for name, value in scores.items() if name.startswith(head)}
    return {**(scores if start is None else start), **found}


def _bounds(scores: Mapping[str, float]) -> str:
    """How many parameters stand at the ends of their ranges, and in which column most."""
    columns = {k.removeprefix("at_bounds_"): v for k, v in scores.items() if k.startswith("at_bounds_")}
    worst = max((name for name in columns if name != "samples"), key=lambda name: columns[name], default="")
    most = f", most of them in {worst.replace('_', ' ')} ({columns[worst]:.1%})" if worst and columns[worst] else ""
    return (
        f"{scores['at_bounds']:.1%} of the deformation's parameters lie near an end of their range{most}; "
        f"{columns['samples']:.1%} of the samples have one there."
    )


def _evidence(outcome: Outcome) -> str:
    """How much to warp, where that was left open, and what spoke for it."""
    found = outcome.structured.unwarper.selection_
    return "" if found is None else f"<p>How much to warp was decided without labels: {escape(str(found))}.</p>"


def _checks(outcome: Outcome) -> str:
    scores, other = outcome.structured.report.scores, outcome.identity.report.scores
    gain = 1 - scores["reconstruction_error"] / max(other["reconstruction_error"], 1e-12)
    learned = scores.get("explained", 1.0) > 0
    checks = [
        (learned and gain > 0.05, f"On held-out samples the squared error with the warp is {1 - gain:.0%} of the error without "
         "it" + ("." if learned else ", and greater than that of their mean."),
         "little to gain here: perhaps nothing moved in this data, or the warp does not fit how it moved" if learned else
         "nothing is reconstructed yet: train longer"),
    ]  # fmt: skip
    if "variance_left" in scores:
        checks.append((scores["variance_left"] < 0.8, "Within clusters, undoing the warps leaves "
                       f"{scores['variance_left']:.0%} of the variance of the held-out series.",
                       "alignment brings alike series hardly together: perhaps their timing does not differ"))  # fmt: skip
    if "at_bounds" in scores:
        checks.append((scores["at_bounds"] < 0.05, _bounds(scores), "widen the warp's range, or look at those samples"))
    if "ambiguous" in scores:
        share, turn = scores["ambiguous"], scores["follow_deg"]
        checks.append((share < 0.1, f"A known deformation put on top of a sample is followed to {turn:.1f} degrees (median); "
                       f"{share:.1%} of the samples are ambiguous (off by more than 10 degrees or 2 pixels).",
                       "round or symmetric objects have several poses; train longer, or allow fewer factors"))  # fmt: skip
    unused, size = int(scores["unused_content"]), outcome.structured.embedding.codes.shape[1]
    checks.append(
        (unused < size / 2, f"{unused} of {size} content dimensions are unused.", "a smaller n_content will do")
    )
    lines = []
    for good, words, advice in checks:
        mark = '<span class="verdict good">good</span>' if good else '<span class="verdict look">look</span>'
        lines.append(f"<p>{mark} {words}{'' if good else f' <i>{advice}</i>.'}</p>")
    return "<p class=quiet>These signs need no labels.</p>" + "".join(lines)


def _recovery(outcome: Outcome, drawn: dict[str, bytes]) -> str:
    scores = outcome.structured.report.scores
    if "recovery" not in drawn and "warp_error" not in scores:
        return ""
    found = [line for line in POSE if line.key in scores]
    rows: list[tuple[str, ...]] = [(line.words, line.form.format(scores[line.key])) for line in found]
    place = "" if _series(outcome) else " Shifts are taken at the object's place."
    words = (
        "<h2>Recovered against true deformation</h2><p>Each held-out original was observed twice under known deformations. "
        "An upright frame cannot be known without labels, so the deformation that leads from the first observation to the "
        f"second is compared.{place}</p>"
    )
    table = _table(("median error", ""), rows)
    return (
        words
        + table
        + _figure(drawn, "recovery", "One point a pair of observations; a perfect method lies on the line.")
    )


def _looking(outcome: Outcome, drawn: dict[str, bytes]) -> str:
    stochastic = outcome.structured.unwarper.recipe_.stochastic
    sorting = (
        "by their rate, the KL divergence from the prior in nats: a row near 0 carries nothing"
        if stochastic
        else "by the standard deviation of the codes"
    )
    fits = outcome.structured.unwarper.recipe_.prior == "learned"
    step = "of the prior" if stochastic else "of the codes along that dimension"
    parts = [
        "<h2>Looking inside</h2>",
        _figure(drawn, "traversal", f"Templates about the mean code, one content dimension moved at a time; sd: standard "
                f"deviation {step}. Rows are sorted {sorting}; at most {figures.ROWS} are shown."),
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
    if not figures.adversarial(outcome.structured.unwarper.history_.rows):
        return ""
    return " Codes and deformations are read by a network that saw only generated samples in training."


def _course(outcome: Outcome) -> str:
    """What the curves of the training show."""
    if not figures.adversarial(outcome.structured.unwarper.history_.rows):
        return "Reconstruction term of the training loss."
    return (
        "The game, on one batch at every tenth step. D is the sigmoid of the critic's logit, averaged over real (x) and generated "
        "(G(z)) samples: both near 0.5 where the critic cannot tell them apart. Coverage is the share of the batch with a generated "
        "sample nearer than its fifth real neighbour, in pixels or values: about 0.97 for a perfect generator, near 0 where kinds are "
        "missing. Inferred content is compared with that of generated samples, squared and summed: at the number of content "
        "dimensions, codes make no difference. Gradient norms are those before clipping."
    )


def _making(outcome: Outcome) -> str:
    recipe: Recipe = outcome.structured.unwarper.recipe_
    history = outcome.structured.unwarper.history_
    facts = {
        "data": ", ".join(filter(None, (outcome.training.source or outcome.training.name, outcome.training.licence))),
        "training": f"{history.steps:,} steps in {history.seconds:.0f} s",
        "seed": str(outcome.job.seed),
        "recipe": repr(recipe),
        "versions": ", ".join(f"{k} {v}" for k, v in versions().items()),
    }
    return "<dl>" + "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in facts.items()) + "</dl>"
