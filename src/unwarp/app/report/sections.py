"""The sections of a report: the verdict first, then what was learned, then how it was made."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from markupsafe import Markup

from unwarp.app.outcome import Outcome, versions
from unwarp.app.report.checks import checks, evidence
from unwarp.app.report.examples import MIN_HELD_OUT_FOR_OVERVIEW
from unwarp.app.report.figures import TRAINING
from unwarp.app.report.illustrations import Illustration, Plot, illustrate
from unwarp.app.report.presentation import Presentation, presentation
from unwarp.app.report.scores import recovery_table, score_table
from unwarp.app.report.section import Section

Illustrate = Callable[[Plot, Outcome], Illustration | None]


def sections(outcome: Outcome, illustrate: Illustrate = illustrate) -> tuple[Section, ...]:
    """All sections of the report of a run, with their figures.

    Args:
        outcome: The run.
        illustrate: Draws one figure; gives None where the run has nothing to show.
    """

    def draw(plots: Iterable[Plot]) -> tuple[Illustration, ...]:
        illustrations = (illustrate(plot, outcome) for plot in plots)
        return tuple(figure for figure in illustrations if figure is not None)

    style = presentation(outcome)
    return (
        _introduction(outcome, draw(style.opening)),
        _verdict(outcome, draw(style.checks)),
        _codes(outcome, style, draw(style.codes)),
        *_recovery(outcome, style, draw(style.recovery)),
        Section("Looking inside", figures=draw(style.inside)),
        Section("How it was made", facts=_facts(outcome), figures=draw((TRAINING,))),
    )


def _introduction(outcome: Outcome, figures: tuple[Illustration, ...]) -> Section:
    """What was learned from how much, and what stands beside it.

    Args:
        outcome: The run.
        figures: Drawn figures of the section.
    """
    n, n_test = len(outcome.training), len(outcome.test)
    words = Markup(
        "A model learned from {n:,} samples, without labels, to say of each one what it shows (a "
        "<b>content code</b> and a <b>template</b>) and how that was moved (the "
        "<b>deformation</b>). Every score on this page was measured on {n_test:,} samples that it "
        "never saw in training. Beside it stands the same model without a warp, with as many "
        "latent numbers in total and {budget}."
    ).format(n=n, n_test=n_test, budget=_budget(outcome))
    if n_test < MIN_HELD_OUT_FOR_OVERVIEW:
        words += f" With {n_test} samples, no score is more exact than {1 / n_test:.0%}."
    return Section(f"{outcome.test.name}, unwarped", (words,), figures=figures)


def _budget(outcome: Outcome) -> str:
    """The bound that both trainings share."""
    first, second = (trial.unwarper.history_.steps for trial in outcome.trials.values())
    if first == second:
        return "as many training steps"
    bound = f"the same bound of {outcome.job.max_seconds:g} seconds on its training"
    return f"{bound} ({first:,} and {second:,} steps)"


def _verdict(outcome: Outcome, figures: tuple[Illustration, ...]) -> Section:
    """Whether it worked.

    Args:
        outcome: The run.
        figures: Drawn figures of the section.
    """
    words = (*evidence(outcome), "These signs need no labels.")
    return Section("Did it work on this data?", words, checks(outcome), figures=figures)


def _codes(outcome: Outcome, style: Presentation, figures: tuple[Illustration, ...]) -> Section:
    """How well codes tell samples apart.

    Args:
        outcome: The run.
        style: The presentation of its domain.
        figures: Drawn figures of the section.
    """
    table = score_table(outcome, style.scores)
    has_baselines = len(table.head) > 1 + len(outcome.trials)
    words = (style.scores.note,) if has_baselines else ()
    return Section("What the code knows", words, table=table, figures=figures)


def _recovery(
    outcome: Outcome,
    style: Presentation,
    figures: tuple[Illustration, ...],
) -> tuple[Section, ...]:
    """How near deformations are to true ones; nothing where those are unknown.

    Args:
        outcome: The run.
        style: The presentation of its domain.
        figures: Drawn figures of the section.
    """
    table = recovery_table(outcome.warped.report.scores)
    if table is None and not figures:
        return ()
    words = (
        "Each held-out original was observed twice, under two known deformations. An upright frame "
        "cannot be known without labels. So the deformation that leads from the first observation "
        "to the second is compared."
    )
    words += style.recovery_note and f" {style.recovery_note}"
    return (Section("Recovered against true deformation", (words,), table=table, figures=figures),)


def _facts(outcome: Outcome) -> dict[str, str]:
    """Where the data came from, and all that the result depends on."""
    unwarper, data = outcome.warped.unwarper, outcome.training
    history = unwarper.history_
    return {
        "data": ", ".join(filter(None, (data.source or data.name, data.licence))),
        "training": f"{history.steps:,} steps in {history.seconds:.0f} s",
        "seed": str(outcome.job.seed),
        "recipe": repr(unwarper.recipe_),
        "versions": ", ".join(f"{name} {version}" for name, version in versions().items()),
    }
