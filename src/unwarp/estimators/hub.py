"""Trained models on the Hugging Face hub.

push               upload a trained estimator as a model repository
from_pretrained    the trained estimator of a repository, or of a local folder

A repository holds what `Unwarper.save` writes, with a model card: no pickle, so loading runs no
code, and checksums are checked as in `Unwarper.load`. `pip install 'unwarp[hub]'` installs the
package that it needs.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.utils.validation import check_is_fitted

from unwarp._version import __version__
from unwarp.errors import CheckpointError, ConfigError
from unwarp.estimators.unwarper import Unwarper
from unwarp.models.store import CONFIG, WEIGHTS
from unwarp.storage.files import expand, write_file

FILES = (CONFIG, WEIGHTS, "README.md")
"""Files of a model; others of a repository are not downloaded."""


def push(
    unwarper: Unwarper,
    repo_id: str,
    *,
    private: bool = False,
    token: str | None = None,
    revision: str | None = None,
    message: str = "Upload a model of Unwarp",
) -> str:
    """Upload a trained estimator to the Hugging Face hub.

    Files of the same names in the repository are replaced; others stay.

    Args:
        unwarper: A trained estimator.
        repo_id: Name of the repository, such as `name/digits`; it is created unless it exists.
        private: Whether a new repository is private.
        token: Access token; None for that of `hf auth login`.
        revision: Branch to upload to; None for the main one.
        message: Message of the commit.

    Returns:
        Address of the commit.

    Raises:
        ConfigError: The package is missing, or the hub refuses the name, the token or the upload.
    """
    check_is_fitted(unwarper)
    _check_package()
    from huggingface_hub import HfApi

    api = HfApi(token=token, library_name="unwarp", library_version=__version__)
    with TemporaryDirectory() as place:
        folder = Path(place) / "model"
        unwarper.save(folder)
        write_file(folder / "README.md", model_card(unwarper, repo_id))
        try:
            api.create_repo(repo_id, private=private, exist_ok=True)
            commit = api.upload_folder(
                repo_id=repo_id, folder_path=folder, revision=revision, commit_message=message
            )
        except Exception as error:  # of the hub, of the client for HTTP, or of the system
            raise ConfigError(
                f"repo_id={repo_id!r} cannot be written ({_line(error)}); check the name, the "
                "token and the network"
            ) from error
    return str(commit.commit_url)


def from_pretrained(
    source: str | Path, *, revision: str | None = None, token: str | None = None
) -> Unwarper:
    """The trained estimator of a repository, or of a local folder.

    Nothing is executed: only `config.json` and `model.safetensors` are read, with their checksums.

    Args:
        source: A local folder, or the name of a repository, such as `name/digits`. An existing
            folder takes precedence.
        revision: Branch, tag or commit; None for the main branch. Name a commit to get the same
            model always.
        token: Access token; None for that of `hf auth login`.

    Returns:
        The estimator, as `Unwarper.load` returns it.

    Raises:
        CheckpointError: The repository does not exist or cannot be reached, or it holds no model of
            Unwarp, or a damaged one.
        ConfigError: The package is missing.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(8, 12))
    >>> unwarper = Unwarper("time", max_steps=1, n_clusters=2).fit(X)
    >>> with TemporaryDirectory() as folder:
    ...     unwarper.save(folder)
    ...     loaded = from_pretrained(folder)
    >>> bool((loaded.align(X) == unwarper.align(X)).all())
    True
    """
    folder = expand(source)
    if folder.is_dir():
        return Unwarper.load(folder)
    _check_package()
    return Unwarper.load(_download(str(source), revision, token))


def _download(repo_id: str, revision: str | None, token: str | None) -> Path:
    """The local copy of the files of a model."""
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            repo_id,
            revision=revision,
            token=token,
            allow_patterns=list(FILES),
            library_name="unwarp",
            library_version=__version__,
        )
        return Path(folder)
    except Exception as error:  # of the hub, of the client for HTTP, or of the system
        raise CheckpointError(
            f"{repo_id!r} is neither a folder nor a repository that can be read ({_line(error)}); "
            "check the name, the token and the network"
        ) from error


def model_card(unwarper: Unwarper, repo_id: str) -> str:
    """A model card: facts, and how to load the model.

    Args:
        unwarper: A trained estimator.
        repo_id: Name of the repository.
    """
    schema, recipe = unwarper.schema_, unwarper.recipe_
    return f"""---
library_name: unwarp
tags:
- unwarp
- {schema.domain.name}
---

# Unwarp model

{recipe.family} with the warp `{recipe.warp.name}`, for {schema.domain.plural} of shape
{schema.user_shape}, with content codes of size {unwarper.model_.n_content}, trained by Unwarp
{__version__}.

    pip install 'unwarp[hub]'

    from unwarp.estimators.hub import from_pretrained
    unwarper = from_pretrained("{repo_id}")
    aligned = unwarper.align(X)

The files are JSON and safetensors with checksums; loading them runs no code. What the samples were,
and who may use the model, are for its author to say here.
"""


def _check_package() -> None:
    """Refuse to work without huggingface_hub."""
    if find_spec("huggingface_hub") is None:
        raise ConfigError(
            "the Hugging Face hub needs huggingface_hub; install it with: pip install 'unwarp[hub]'"
        )


def _line(error: Exception) -> str:
    """The first line of an error."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
