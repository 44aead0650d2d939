"""Formulas of the site as MathML, which browsers draw without a script."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


def mathml(node: nodes.math | nodes.math_block, display: str) -> str:
    """A formula as MathML; a command that remains in it is a warning.

    Args:
        node: The formula in LaTeX.
        display: `inline` or `block`.
    """
    formula = convert(node.astext(), display=display)
    if "\\" in formula or "&#x0005C;" in formula:
        LOGGER.warning("a command of this formula is unknown: %s", node.astext(), location=node)
    return formula


def inline(translator: Any, node: nodes.math) -> None:
    """Write a formula of a sentence."""
    translator.body.append(mathml(node, "inline"))
    raise nodes.SkipNode


def block(translator: Any, node: nodes.math_block) -> None:
    """Write a formula that stands alone; a wide one scrolls."""
    translator.body.append(f'<div class="formula">{mathml(node, "block")}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer `mathml`."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
