"""Answers: the panels of samples, renderings, morphs and selections agree with the estimator."""

from __future__ import annotations

import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from unwarp.app.explorer import answers
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.limits import Refusal

NAMES = ("images", "mirrors", "series")


def pixels(panel: str) -> np.ndarray:
    """The picture of a panel, (H, W) or (H, W, 3)."""
    content = base64.b64decode(panel.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(content)))


def test_panels_show_results_of_the_estimator(images: Exploration) -> None:
    """Aligned pictures, templates and reconstructions are those of `Unwarper`, as 8 bits."""
    unwarper, samples = images.viewer.unwarper, images.collection.samples
    assert samples is not None
    panels = answers.sample(images, 3)["panels"]
    for name, expected in {
        "observed": samples.samples,
        "aligned": unwarper.align(samples),
        "template": unwarper.template(samples),
        "reconstruction": unwarper.reconstruct(samples),
    }.items():
        scaled = unwarper.schema_.scaler.apply(np.asarray(expected))
        displayed = 255 * np.clip(scaled[3, 0], 0, 1)
        np.testing.assert_allclose(pixels(panels[name]), displayed, atol=0.51)


def test_curves_are_in_user_units(series: Exploration) -> None:
    """Values and times of a series are those of the user, and gaps are null."""
    samples = series.collection.samples
    assert samples is not None
    view = answers.sample(series, 5)
    observed = view["panels"]["observed"]
    values = np.array(observed["values"], float)
    np.testing.assert_allclose(values, samples.samples[5], atol=1e-3)
    assert observed["time"][:3] == [0.0, 0.1, 0.2] and observed["values"][0][-1] is None
    gamma = view["warp"]["template_time"]
    assert (np.diff(gamma) > 0).all() and gamma[0] >= -1e-6 and gamma[-1] <= 2.3 + 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_sliders_of_a_sample_reconstruct_it(
    name: str, explorations: dict[str, Exploration]
) -> None:
    """Rendering the code and the slider values of a sample gives its panels."""
    exploration = explorations[name]
    view = answers.sample(exploration, 4)
    rendering = answers.render(exploration, view["content"], view["deformation"])
    for panel in ("template", "reconstruction"):
        if name == "series":
            ours, theirs = (np.array(x[panel]["values"]) for x in (rendering, view["panels"]))
            np.testing.assert_allclose(ours, theirs, atol=1e-3)
        else:
            ours, theirs = (pixels(x[panel]).astype(int) for x in (rendering, view["panels"]))
            assert np.abs(ours - theirs).max() <= 1


def test_identity_keeps_series(series: Exploration) -> None:
    """Families of time are centred, so that theta 0 is not the identity; the sliders know it."""
    rendering = answers.render(series, [0.5, -0.5, 1.0], {})
    ours, theirs = (np.array(rendering[x]["values"]) for x in ("template", "reconstruction"))
    np.testing.assert_allclose(ours, theirs, atol=0.05 * np.ptp(ours))
    np.testing.assert_allclose(
        rendering["warp"]["time"], rendering["warp"]["template_time"], atol=1e-2
    )


def test_no_deformation_is_the_template(mirrors: Exploration) -> None:
    """Sliders without a value are at the identity, which deforms nothing."""
    rendering = answers.render(mirrors, [0.5, -0.5], {})
    ours, theirs = (pixels(rendering[name]) for name in ("template", "reconstruction"))
    assert np.abs(ours.astype(int) - theirs).max() <= 1
    mirrored = answers.render(mirrors, [0.5, -0.5], {"mirror": 1.0})["reconstruction"]
    assert np.abs(pixels(mirrored)[:, ::-1].astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("along", ["content", "deformation", "both"])
def test_morph_changes_one_part(along: answers.Part, images: Exploration) -> None:
    """At the end the changed part is that of the last sample, the other that of the first."""
    first, last = (answers.sample(images, row) for row in (2, 7))
    end = answers.morph(images, (2, 7), along, 1.0)
    for part in ("content", "deformation"):
        expected = last if along in (part, "both") else first
        assert end[part] == pytest.approx(expected[part])
    begin = answers.morph(images, (2, 7), along, 0.0)
    assert begin["content"] == pytest.approx(first["content"])


def test_selection_averages_aligned_samples(images: Exploration) -> None:
    """Means are those over the samples, and repeated rows count once."""
    unwarper, samples = images.viewer.unwarper, images.collection.samples
    assert samples is not None
    rows = [1, 4, 4, 9]
    answer = answers.selection(images, rows)
    assert answer["n"] == answer["n_averaged"] == 3
    mean = unwarper.schema_.scaler.apply(unwarper.align(samples))[[1, 4, 9], 0].mean(0)
    np.testing.assert_allclose(pixels(answer["mean_aligned"]), 255 * np.clip(mean, 0, 1), atol=1)
    assert answer["columns"]["label"] == {"counts": {"a": 1, "b": 2}}
    error = images.collection.error[[1, 4, 9]]
    assert answer["columns"]["error"]["mean"] == pytest.approx(float(error.mean()), rel=1e-5)


def test_export_is_a_table(images: Exploration, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Rows of the table hold the numbers of `transform` and `transform_params`."""
    text = "".join(answers.export(images, [8, 2]))
    table = pd.read_csv(io.StringIO(text))
    unwarper, samples = images.viewer.unwarper, images.collection.samples
    assert list(table["index"]) == [2, 8] and list(table["label"]) == ["c", "c"]
    codes = table[list(unwarper.get_feature_names_out())].to_numpy()
    np.testing.assert_allclose(codes, unwarper.transform(samples)[[2, 8]], rtol=1e-4, atol=1e-5)
    angles = unwarper.transform_params(samples)["rotation_deg"][[2, 8]]
    np.testing.assert_allclose(table["rotation_deg"], angles, rtol=1e-4, atol=1e-4)


def test_own_samples_are_views(series: Exploration) -> None:
    """Samples of the collection, sent as own ones, are seen as before and near themselves."""
    samples = series.collection.samples
    assert samples is not None
    own = series.viewer.unwarper.prepare_samples(samples.samples[3:5])
    views = answers.align_own(series, own)["samples"]
    before = answers.sample(series, 3)
    assert views[0]["index"] is None
    for name, panel in before["panels"].items():
        ours, theirs = (np.array(x["values"], float) for x in (views[0]["panels"][name], panel))
        np.testing.assert_allclose(ours, theirs, atol=1e-3)
    assert [view["neighbours"]["content"][0] for view in views] == [3, 4]
    assert [view["neighbours"]["pixels"][0] for view in views] == [3, 4]
    embedded = answers.embed_own(series, own)
    assert embedded["content"][0] == pytest.approx(before["content"], abs=1e-5)
    assert embedded["cluster"][0] == before["cluster"]


def test_thumbnails_are_thin(series: Exploration) -> None:
    """There is one for each row, in their order, and there are at most 64."""
    thumbnails = answers.thumbnails(series, [4, 1])
    assert [thumbnail["index"] for thumbnail in thumbnails] == [4, 1]
    with pytest.raises(Refusal, match="at most 64"):
        answers.thumbnails(series, [0] * 65)


def test_wrong_codes_are_refused(images: Exploration) -> None:
    """The message says how many numbers a code has."""
    with pytest.raises(Refusal, match="content has 3 numbers; give 4"):
        answers.render(images, [0.0] * 3, {})
    with pytest.raises(Refusal, match="choose numbers from 0 to 29"):
        answers.sample(images, 30)
