"""A sample with sliders, as a widget in a notebook.

`pip install 'unwarp[widget]'` installs the package anywidget, which names the notebooks that can
show the widget. It also works with a kernel on another computer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unwarp.app.explorer import answers
from unwarp.app.explorer.collection import embed_source
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.views import Viewer
from unwarp.errors import ConfigError
from unwarp.estimators.unwarper import Unwarper

FACTS = ("n_samples", "factors", "value_range")
"""Facts of a model and its collection that the widget shows."""


def sample_widget(unwarper: Unwarper, X: Any, times: Any = None) -> Any:
    """A widget of one sample, with its panels and sliders.

    The sliders deform the template of the sample. The attributes of the widget can be read, set,
    and linked to other widgets:

    * `index`: number of the sample, from 0.
    * `deformation`: values of the sliders, by the names of the deformation table.
    * `view`: panels and numbers of the sample, as of `unwarp.app.explorer.answers.sample`.
    * `rendering`: the deformed template, as of `unwarp.app.explorer.answers.render`.

    Args:
        unwarper: A trained estimator of pictures or series.
        X: Samples like those of the training.
        times: Time stamps, as for `fit`.

    Returns:
        An `anywidget.AnyWidget`. An `index` without a sample raises a `TraitError`.

    Raises:
        ConfigError: The model is neither of pictures nor of series, or anywidget is missing.
        DataError: The samples do not fit the model.
    """
    viewer = Viewer(unwarper)
    collection = embed_source(viewer, unwarper.open(X, times=times))
    exploration = Exploration(viewer, collection, "notebook")
    widget = _new_widget({name: exploration.facts[name] for name in FACTS})
    _connect(widget, exploration)
    return widget


def _new_widget(facts: dict[str, Any]) -> Any:
    """A widget that shows nothing yet."""
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        raise ConfigError(
            "a widget needs the package anywidget; install it with pip install 'unwarp[widget]'"
        ) from error

    n_samples = facts["n_samples"]

    class SampleWidget(anywidget.AnyWidget):
        _esm = Path(__file__).with_name("sample_widget.js")
        _css = Path(__file__).with_name("sample_widget.css")
        facts = traitlets.Dict().tag(sync=True)
        index = traitlets.Int(0, min=0, max=n_samples - 1).tag(sync=True)
        deformation = traitlets.Dict().tag(sync=True)
        view = traitlets.Dict().tag(sync=True)
        rendering = traitlets.Dict().tag(sync=True)

    return SampleWidget(facts=facts)


def _connect(widget: Any, exploration: Exploration) -> None:
    """Let a widget show its sample, and the template as its sliders deform it."""

    def show_sample(change: Any = None) -> None:
        widget.view = answers.sample(exploration, widget.index)
        widget.deformation = widget.view["deformation"]
        deform()  # also if the sliders stay where they are

    def deform(change: Any = None) -> None:
        content = widget.view["content"]
        widget.rendering = answers.render(exploration, content, widget.deformation)

    show_sample()
    widget.observe(show_sample, "index")
    widget.observe(deform, "deformation")
