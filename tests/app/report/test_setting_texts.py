"""Settings are told in words, by the names that the command line takes."""

from __future__ import annotations

from unwarp import AE, Affine2d, Displacement2d
from unwarp.app.report.setting_texts import flatten, warp_text
from unwarp.models.codec import describe
from unwarp.warps import Chain, Identity


def test_settings_have_no_code() -> None:
    """Every field of a recipe has a text without brackets and quotation marks."""
    texts = flatten(describe(AE(warp=Affine2d(rotation=30))))
    assert texts["warp.rotation"] == "30" and texts["optimiser.lr"] == "0.002"
    assert texts["net.encoder"] == "384, 128" and texts["swap"] == "yes"
    assert not any(set("[]{}()'=") & set(text) for text in texts.values())


def test_links_are_named_by_family() -> None:
    """Fields of the links of a chain have the names that the command line takes."""
    texts = flatten(describe(AE(warp=Chain(Displacement2d(4), Affine2d()))))
    assert texts["warp.affine.shear"] == "0.5" and texts["warp.displacement.grid"] == "4"
    assert not any("{" in text for text in texts.values())


def test_warp_names_its_ranges() -> None:
    """Each part of a warp stands with its numbers; a warp without numbers is its name."""
    assert warp_text(Affine2d(rotation=30)).startswith("affine (rotation 30, shift 1, scale 1.6")
    assert warp_text(Identity()) == "identity"
    words = warp_text(Chain(Displacement2d(4), Affine2d()))
    assert words.startswith("displacement (") and " and affine (rotation 45" in words
