"""The folder of metrics is their registry; the names of arguments are what a score needs."""

from __future__ import annotations

from unwarp import metrics


def test_scores_stand_under_their_own_names() -> None:
    found = metrics.scores()
    assert {"neighbours", "linear", "kmeans", "template_kmeans", "recovery", "reconstruction_error"} <= set(found)
    assert all(name == score.__name__ for name, score in found.items())


def test_what_a_score_needs_is_a_word_that_the_folder_explains() -> None:
    words = metrics.__doc__ or ""
    for name, score in metrics.scores().items():
        unknown = [need for need in metrics.needs(score) if f"`{need.removeprefix('train_')}`" not in words]
        assert unknown == [], f"{name} needs {unknown}"


def test_settings_with_a_default_are_not_needed() -> None:
    assert metrics.needs(metrics.scores()["neighbours"]) == ("train_codes", "train_labels", "codes", "labels")
