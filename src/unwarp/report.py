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


@dataclass(frozen=True)
class Line:
    """One line of the score table: a name for people, a key, how to print it, and whether more is better."""

    words: str
    key: str
    form: str
    more: bool = True


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
        _figure(drawn, "gallery", "Held-out samples, what each looks like undeformed (its template), the template deformed "
                f"as the sample was found to be, and what the same network without a warp makes of it.{_reader(outcome)}"),
        "<h2>Did it work on this data?</h2>", _checks(outcome),
        _figure(drawn, "deformations", "The deformations found in held-out samples. Dotted lines are the ends of what one "
                "stage may predict; heaps there mean that the range is too narrow."),
        "<h2>What the code knows</h2>", _scores(outcome),
        _figure(drawn, "latent_space", "t-SNE of the content codes of held-out samples; colours, where there are any, are the true classes, "
                "which no model has seen."),
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
    return (
        f"<h1>{name}, unwarped</h1><p>A model learned from {n:,} samples, without labels, to say of each one what it shows "
        f"(a <b>content code</b> and a <b>template</b>) and how that was moved (the <b>deformation</b>). Every score on this "
        f"page was measured on {held:,} samples that it never saw in training. Beside it stands the same model without a "
        f"warp, with as many latent numbers in total and {_budget(outcome)}.</p>"
    )


def _budget(outcome: Outcome) -> str:
    """What both models were given alike."""
    first, second = (trial.unwarper.history_.steps for trial in outcome.trials.values())
    return (
        "as many training steps" if first == second else f"as many seconds of training ({first:,} and {second:,} steps)"
    )


def _figure(drawn: dict[str, bytes], name: str, caption: str) -> str:
    if name not in drawn:
        return ""
    data = base64.b64encode(drawn[name]).decode()
    alt = escape(caption)
    return f'<figure><img alt="{alt}" src="data:image/{_kind(drawn[name])};base64,{data}"><figcaption>{caption}</figcaption></figure>'


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]], best: dict[int, int] | None = None) -> str:
    lines = ["<table><thead><tr>", *(f"<th>{cell}</th>" for cell in head), "</tr></thead><tbody>"]
    for i, row in enumerate(rows):
        cells = (
            f'<td class="best">{cell}</td>' if (best or {}).get(i) == j else f"<td>{cell}</td>"
            for j, cell in enumerate(row)
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "".join([*lines, "</tbody></table>"])


def _scores(outcome: Outcome) -> str:
    columns = [outcome.structured.report.scores, outcome.identity.report.scores, *_pixel_columns(outcome)]
    rows: list[tuple[str, ...]] = []
    best: dict[int, int] = {}
    for line in SCORES:
        values = [column.get(line.key) for column in columns]
        known = [(value, i) for i, value in enumerate(values) if value is not None]
        if not known:
            continue
        best[len(rows)] = 1 + (max(known) if line.more else min(known))[1]
        rows.append((line.words, *("" if value is None else line.form.format(value) for value in values)))
    pace = [f"{t.images_per_second:,.0f}" for t in (outcome.structured, outcome.identity)]
    rows.append(("samples a second, training", *pace, *[""] * (len(columns) - 2)))
    pace = [f"{t.embedding.samples_per_second:,.0f}" for t in (outcome.structured, outcome.identity)]
    rows.append(("samples a second, encoding", *pace, *[""] * (len(columns) - 2)))
    heads = ("", "with warp", "without", "raw pixels", "deskewed pixels", "deskewed, mixture")[: len(columns) + 1]
    note = (
        "<p>Neighbours, probe and clusters are fitted on codes of the training samples and scored on held-out ones. The "
        "pixel columns learn nothing: raw pixels, and pixels whose second moments were made round (deskewed), clustered by "
        "k-means and by a Gaussian mixture. A method that does not beat them has shown nothing.</p>"
    )
    return (note if len(columns) > 2 else "") + _table(heads, rows, best)


def _pixel_columns(outcome: Outcome) -> list[dict[str, float]]:
    found = outcome.baselines.scores
    if not found:
        return []
    near = found["deskewed_neighbours"]
    return [
        {"neighbours": found["raw_neighbours"], "acc": found["raw_acc"], "nmi": found["raw_nmi"]},
        {"neighbours": near, "acc": found["deskewed_kmeans_acc"], "nmi": found["deskewed_kmeans_nmi"]},
        {"acc": found["deskewed_mixture_acc"], "nmi": found["deskewed_mixture_nmi"]},
    ]


def _bounds(scores: Mapping[str, float]) -> str:
    """How many parameters stand at the ends of their ranges, and in which column most."""
    columns = {k.removeprefix("at_bounds_"): v for k, v in scores.items() if k.startswith("at_bounds_")}
    worst = max((name for name in columns if name != "samples"), key=lambda name: columns[name], default="")
    most = f", most of them in {worst.replace('_', ' ')} ({columns[worst]:.1%})" if worst and columns[worst] else ""
    return (
        f"{scores['at_bounds']:.1%} of the deformation's parameters lie near an end of their range{most}; "
        f"{columns['samples']:.1%} of the samples have one there."
    )


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
    if "recovery" not in drawn:
        return ""
    rows: list[tuple[str, ...]] = [(line.words, line.form.format(scores[line.key])) for line in POSE]
    words = (
        "<h2>Recovered against true deformation</h2><p>Each held-out original was observed twice under known deformations. "
        "An upright frame cannot be known without labels, so the deformation that leads from the first observation to the "
        "second is compared. Shifts are taken at the object's place.</p>"
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
        _figure(drawn, "deformation", "One template, deformed along one factor at a time over the range that one stage may "
                "predict; everything else stands still."),
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
