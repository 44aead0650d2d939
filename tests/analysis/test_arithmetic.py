"""Feature arithmetic: content is added, deformations stay."""

from __future__ import annotations

import pytest
import torch

from tests.analysis.random_models import X, random_model, reconstruct
from unwarp.analysis.arithmetic import arithmetic
from unwarp.errors import DataError


def test_what_is_added_and_taken_away_again_changes_nothing() -> None:
    model = random_model()
    found = arithmetic(model, X[:3], X[:3], X[3:5])
    torch.testing.assert_close(found.result.x_hat, reconstruct(model, X[3:5])[1], atol=1e-5, rtol=0)
    torch.testing.assert_close(found.result.x_hat, found.to.x_hat)


def test_arithmetic_adds_mean_content_and_keeps_the_deformation() -> None:
    model = random_model()
    content = reconstruct(model, X)[0].content
    found = arithmetic(model, X[:2], X[2:6], X[6:])
    expected = content[6:] + content[:2].mean(0) - content[2:6].mean(0)
    torch.testing.assert_close(found.result.content, expected, atol=1e-3, rtol=1e-3)
    assert torch.equal(found.result.theta, found.to.theta)
    torch.testing.assert_close(found.plus.x_hat, found.plus.templates, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        found.plus.content, content[:2].mean(0, keepdim=True), atol=1e-3, rtol=1e-3
    )


def test_an_empty_set_is_named() -> None:
    """It has no mean."""
    with pytest.raises(DataError, match="plus has shape"):
        arithmetic(random_model(), X[:0], X, X)
