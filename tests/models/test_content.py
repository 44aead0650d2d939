"""Origins of content codes: which samples and recipes have them."""

from __future__ import annotations

from typing import get_args

import pytest

from unwarp.core import ContentKind, ContentName, Domain
from unwarp.errors import ConfigError
from unwarp.models import AE, GAN, VAE, MixingAE
from unwarp.models.content import CONTENT_KINDS, MEASURED_CONTENTS
from unwarp.warps import Affine2d, Identity


def test_all_kinds_are_choices() -> None:
    """Users choose among the kinds; all but `joint` are measured."""
    assert ("auto", *CONTENT_KINDS) == get_args(ContentName)
    assert {"joint", *MEASURED_CONTENTS} == set(CONTENT_KINDS)


def test_defaults_suit_their_domain() -> None:
    """The content of a domain is for its samples."""
    for domain in Domain.registry.values():
        assert domain.content == "joint" or MEASURED_CONTENTS[domain.content].suits(domain)


@pytest.mark.parametrize(
    ("content", "shape", "mend"),
    [("elastic", (1, 8, 8), "gradients"), ("gradients", (1, 30), "elastic")],
)
def test_other_samples_are_refused(content: ContentKind, shape: tuple[int, ...], mend: str) -> None:
    """Elastic codes of pictures and gradients of series are refused, with the mend."""
    with pytest.raises(ConfigError, match=f"content='{content}' is for .*content='{mend}' or"):
        AE(warp=Identity(), content=content).build(shape)


@pytest.mark.parametrize("family", [VAE, GAN, MixingAE])
@pytest.mark.parametrize("content", list(MEASURED_CONTENTS))
def test_priors_need_learned_codes(family: type[VAE], content: ContentKind) -> None:
    """Families with a prior over codes refuse measured ones."""
    with pytest.raises(ConfigError, match="set content='joint'"):
        family(warp=Affine2d(), content=content)


def test_crops_suit_gradients_alone() -> None:
    """Gradients are of the window of the templates; elastic distances need whole series."""
    assert AE(crop=0.7).can_measure("gradients") and not AE(crop=0.7).can_measure("elastic")
    assert not AE(encoder="one-stage").can_measure("gradients")
