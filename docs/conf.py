"""Configuration of the site: Sphinx reads it, `make docs` runs Sphinx.

The pages load nothing from other hosts: formulas become MathML while the site is built, and the
theme brings its own scripts and uses the fonts of the reader's system.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from unwarp import __version__

project, author = "Unwarp", "The Unwarp authors"
copyright = "The Unwarp authors, Apache-2.0"
version = release = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "docstrings",
    "mathml",
    "repository_links",
]
html_math_renderer = "mathml"
nitpicky = False

myst_enable_extensions = ["dollarmath", "attrs_block", "colon_fence"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
default_role = "code"  # docstrings quote names with single backquotes

autodoc_typehints = "none"  # signatures would be longer than the text; `Args` state the shapes
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = True
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"Unwarp {__version__}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#a8321f", "color-brand-content": "#2c5d94"},
    "dark_css_variables": {"color-brand-primary": "#ef8a75", "color-brand-content": "#8ab8ea"},
}
