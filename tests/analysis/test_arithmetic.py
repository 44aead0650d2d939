"""Feature arithmetic: content is added, deformations stay."""

from __future__ import annotations

import pytest
import torch

from tests.analysis.random_models import X, random_model, reconstruct
from unwarp.analysis.arithmetic import arithmetic
from unwarp.errors import DataError


def test_same_set_changes_nothing() -> None:
    """A set that is added and subtracted changes nothing."""
    model = random_model()
    terms = arithmetic(model, X[:3], X[:3], X[3:5])
    torch.testing.assert_close(terms.result.x_hat, reconstruct(model, X[3:5])[1], atol=1e-5, rtol=0)
    torch.testing.assert_close(terms.result.x_hat, terms.to.x_hat)


def test_mean_content_is_added() -> None:
    """Mean content is added; deformations are unchanged."""
    model = random_model()
    content = reconstruct(model, X)[0].content
    terms = arithmetic(model, X[:2], X[2:6], X[6:])
    expected = content[6:] + content[:2].mean(0) - content[2:6].mean(0)
    torch.testing.assert_close(terms.result.content, expected, atol=1e-3, rtol=1e-3)
    assert torch.equal(terms.result.theta, terms.to.theta)
    torch.testing.assert_close(terms.plus.x_hat, terms.plus.templates, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        terms.plus.content, content[:2].mean(0, keepdim=True), atol=1e-3, rtol=1e-3
    )


def test_empty_set_is_refused() -> None:
    """The error names the set, which has no mean."""
    with pytest.raises(DataError, match="plus has shape"):
        arithmetic(random_model(), X[:0], X, X)
