"""Sections of a report: introduction, checks, scores, recovery, latent space, settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from markupsafe import Markup

from unwarp.app.outcome import Outcome, versions
from unwarp.app.report.checks import checks, labels_note, next_step, selection_note
from unwarp.app.report.examples import MIN_HELD_OUT_FOR_OVERVIEW
from unwarp.app.report.figures import TRAINING
from unwarp.app.report.illustrations import Illustration, Plot, illustrate
from unwarp.app.report.notes import constant_note, content_note, refinement_note, symmetry_note
from unwarp.app.report.presentation import Presentation, presentation
from unwarp.app.report.scores import recovery_table, score_table
from unwarp.app.report.section import Section
from unwarp.app.report.setting_texts import flatten, warp_text
from unwarp.models.codec import describe

Illustrate = Callable[[Plot, Outcome], Illustration | None]
"""Function that draws a plot of a run; it returns None if the run has no data for the plot."""


def sections(outcome: Outcome, illustrate: Illustrate = illustrate) -> tuple[Section, ...]:
    """All sections of the report of a run, with their figures.

    Args:
        outcome: The run.
        illustrate: Function that draws one figure. Tests replace it by a function that draws
            nothing, to be fast.

    Returns:
        The sections in the order of the page. The section on errors of deformations is left out if
        the true deformations are unknown.
    """

    def draw(plots: Iterable[Plot]) -> tuple[Illustration, ...]:
        """Draw the plots, without those that the run has no data for."""
        illustrations = (illustrate(plot, outcome) for plot in plots)
        return tuple(figure for figure in illustrations if figure is not None)

    layout = presentation(outcome)
    return (
        _introduction(outcome, draw(layout.introduction)),
        _checks(outcome, draw(layout.checks)),
        _scores(outcome, layout, draw(layout.codes)),
        *_recovery(outcome, layout, draw(layout.recovery)),
        Section("Looking inside", figures=draw(layout.latent_space)),
        _settings(outcome, draw((TRAINING,))),
    )


def _introduction(outcome: Outcome, figures: tuple[Illustration, ...]) -> Section:
    """The first section: the next step where something failed, the terms, the data, the baseline.

    Args:
        outcome: The run.
        figures: Drawn figures of the section.
    """
    n, n_test = outcome.n_training, len(outcome.test)
    text = Markup(
        "A model was trained on {n:,} samples, without labels. It describes a sample by two "
        "things. The <b>content code</b> says how the sample looks apart from its deformation; "
        "decoded, it is the <b>template</b>. The <b>deformation</b> says how the template was "
        "moved to give the sample. All scores on this page are measured on {n_test:,} held-out "
        "samples, which were not used for training. The <b>baseline without a warp</b> is the "
        "same model with no deformation, {latents}, and {budget}."
    ).format(n=n, n_test=n_test, latents=_latents(outcome), budget=_budget(outcome))
    if n_test < MIN_HELD_OUT_FOR_OVERVIEW:
        text += f" With {n_test} held-out samples, one of them changes an accuracy by "
        text += f"{1 / n_test:.0%}."
    title, lead = f"Unwarp report: {outcome.test.name}", next_step(outcome)
    return Section(title, (text,), figures=figures, lead=lead)


def _latents(outcome: Outcome) -> str:
    """A phrase for the size of the baseline's code."""
    is_joint = outcome.warped.unwarper.recipe_.content == "joint"
    return "as many latent dimensions in total" if is_joint else "a content code of the same kind"


def _budget(outcome: Outcome) -> str:
    """A phrase for the end of training, by a rule that was the same for both models."""
    steps, baseline_steps = (
        model.unwarper.history_.steps for model in outcome.scored_models.values()
    )
    if steps == baseline_steps:
        return "as many training steps"
    limits = []
    if outcome.warped.unwarper.history_.validation:
        limits.append("training until the error of validation samples fell no more")
    if outcome.job.max_seconds is not None:
        limits.append(f"the same limit of {outcome.job.max_seconds:g} seconds of training")
    if not limits:  # without a pose to learn, measured codes need their decoder alone
        limits.append("a training of the decoder alone")
    return f"{' and '.join(limits)} ({steps:,} steps with the warp, {baseline_steps:,} without)"


def _checks(outcome: Outcome, figures: tuple[Illustration, ...]) -> Section:
    """The section of the checks; notes before them say what the training decided.

    Args:
        outcome: The run.
        figures: Drawn figures of the section.
    """
    notes = (
        *selection_note(outcome),
        *content_note(outcome),
        *refinement_note(outcome),
        *symmetry_note(outcome),
        *labels_note(outcome),
        *constant_note(outcome),
    )
    paragraphs = (*notes, "These checks need no labels.")
    title = "Did it work on this data?"
    return Section(title, paragraphs, checks=checks(outcome), figures=figures)


def _scores(outcome: Outcome, layout: Presentation, figures: tuple[Illustration, ...]) -> Section:
    """The section of the table of scores.

    A note explains the columns of methods without learning, if there are any.

    Args:
        outcome: The run.
        layout: The presentation of its domain.
        figures: Drawn figures of the section.
    """
    table = score_table(outcome, layout.scores)
    has_baselines = len(table.head) > 1 + len(outcome.scored_models)
    notes = (layout.scores.note,) if has_baselines else ()
    paragraphs = (*notes, "The best value of each row is bold.")
    return Section("Scores on held-out samples", paragraphs, table=table, figures=figures)


def _recovery(
    outcome: Outcome,
    layout: Presentation,
    figures: tuple[Illustration, ...],
) -> tuple[Section, ...]:
    """The section on errors of deformations; none if the true deformations are unknown.

    Args:
        outcome: The run.
        layout: The presentation of its domain.
        figures: Drawn figures of the section.
    """
    table = recovery_table(outcome.warped.report.scores)
    if table is None and not figures:
        return ()
    text = (
        "Each held-out original was observed twice, under two known deformations. The undeformed "
        "pose of an original is a matter of convention, so errors are those of the relative "
        "deformation, which leads from the first observation to the second."
    )
    text += layout.recovery_note and f" {layout.recovery_note}"
    return (Section("Estimated and true deformations", (text,), table=table, figures=figures),)


def _settings(outcome: Outcome, figures: tuple[Illustration, ...]) -> Section:
    """The last section: facts on the run, and all fields of the recipe to unfold.

    Args:
        outcome: The run.
        figures: Drawn figures of the section.
    """
    values = flatten(describe(outcome.warped.unwarper.recipe_))
    title = "Training and settings"
    return Section(title, facts=_facts(outcome), settings=values, figures=figures)


def _facts(outcome: Outcome) -> dict[str, str]:
    """The origin of the data, and what the result depends on most, by name."""
    unwarper, data = outcome.warped.unwarper, outcome.training
    history, recipe = unwarper.history_, unwarper.recipe_
    return {
        "data": ", ".join(filter(None, (data.source or data.name, data.licence))),
        "training with the warp": f"{history.steps:,} steps in {history.seconds:.0f} s",
        **_notes(outcome),
        **_rollbacks(outcome),
        "random seed": str(outcome.job.seed),
        "warp": warp_text(recipe.warp),
        "content code": f"{outcome.warped.embedding.codes.shape[1]} numbers",
        "kind of model": describe(recipe)["family"],
        "versions": ", ".join(f"{name} {version}" for name, version in versions().items()),
    }


def _notes(outcome: Outcome) -> dict[str, str]:
    """Changes of the number of steps of both trainings in words, by name; empty if none."""
    titles = {"warped": "length of training with the warp", "baseline": "length without it"}
    return {
        titles[name]: "; ".join(model.unwarper.history_.notes)
        for name, model in outcome.scored_models.items()
        if model.unwarper.history_.notes
    }


def _rollbacks(outcome: Outcome) -> dict[str, str]:
    """Divergences of both trainings in words, by name; empty if there were none."""
    titles = {"warped": "rollbacks with the warp", "baseline": "rollbacks without it"}
    return {
        titles[name]: "; ".join(map(str, model.unwarper.history_.rollbacks))
        for name, model in outcome.scored_models.items()
        if model.unwarper.history_.rollbacks
    }
