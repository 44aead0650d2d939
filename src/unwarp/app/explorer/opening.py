"""Opening a run or a model, with its samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from unwarp.app.explorer.collection import Collection, embed_source, empty_collection
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.views import Viewer
from unwarp.app.job import JOB_NAME, load_job
from unwarp.app.parts import open_source
from unwarp.errors import DataError
from unwarp.estimators.unwarper import Unwarper
from unwarp.storage.files import expand
from unwarp.storage.folders import recover_folder


def open_exploration(
    folder: str | Path,
    data: str | None = None,
    device: str = "auto",
    on_message: Callable[[str], None] = lambda line: None,
) -> Exploration:
    """A model with its collection, embedded.

    Args:
        folder: A run folder, or the folder of a model.
        data: Paths, each in a line of its own, or the name of a data set; None for the data of the
            run. A model without a run then has no data, but sliders.
        device: Device that embeds: `auto`, `cpu`, `cuda` or `mps`.
        on_message: Function that shows a line to people.

    Raises:
        CheckpointError: The folder holds no model.
        ConfigError: The model is neither of images nor of series.
        DataError: The data cannot be read, or do not fit the model.
    """
    folder = expand(folder)
    recover_folder(folder / "model")
    is_run = (folder / "model").is_dir()
    unwarper = Unwarper.load(folder / "model" if is_run else folder).set_params(device=device)
    viewer = Viewer(unwarper)
    has_job = is_run and (folder / JOB_NAME).is_file()
    collection, notes = _open_collection(viewer, folder if has_job else None, data, on_message)
    exploration = Exploration(
        viewer, collection, folder.resolve().name, folder if has_job else None, notes
    )
    on_message("computing neighbours and principal components")
    exploration.prepare()
    return exploration


def _open_collection(
    viewer: Viewer, run: Path | None, data: str | None, on_message: Callable[[str], None]
) -> tuple[Collection, tuple[str, ...]]:
    """The collection of a run or of other data, and notes about it."""
    name = data
    if name is None and run is not None:
        name = load_job(run).source
    if name is None:
        return empty_collection(viewer), (
            "The model has no data: only sliders and own samples work. Give --data SOURCE to see "
            "a collection.",
        )
    try:
        source = open_source(name, estimator=viewer.unwarper)
    except (DataError, OSError) as error:
        if data is not None:
            raise
        raise DataError(
            f"the data of the run cannot be read: {error}; give --data SOURCE, or open "
            f"{run}/model for sliders without data"
        ) from error
    on_message(f"{source.name}: {source.description or f'{len(source):,} samples'}")
    return embed_source(viewer, source, on_message), ()
