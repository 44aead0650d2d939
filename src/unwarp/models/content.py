"""The origins of content codes, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from unwarp.core import ContentKind, Domain
from unwarp.errors import ConfigError
from unwarp.models.gradients import GradientCode
from unwarp.models.measured import ElasticCode, MeasuredContent

MEASURED_CONTENTS: Mapping[str, type[MeasuredContent]] = {
    "elastic": ElasticCode,
    "gradients": GradientCode,
}
"""Classes of measured content codes by the name of their origin."""

CONTENT_KINDS: tuple[ContentKind, ...] = get_args(ContentKind)


def check_content(kind: str, domain: Domain, shape: tuple[int, ...]) -> None:
    """Refuse content codes that samples of a domain do not have.

    Args:
        kind: Origin of the content codes.
        domain: Domain of the samples.
        shape: Shape of a sample (C, ...), for the message.

    Raises:
        ConfigError: The codes are for other samples.

    >>> from unwarp.core import IMAGES
    >>> check_content("elastic", IMAGES, (1, 8, 8))
    Traceback (most recent call last):
    unwarp.errors.ConfigError: content='elastic' is for series; got samples of shape (1, 8, 8); \
set content='gradients' or content='joint'
    """
    if kind == "joint" or MEASURED_CONTENTS[kind].suits(domain):
        return
    suitable = [name for name, member in MEASURED_CONTENTS.items() if member.suits(domain)]
    choices = " or ".join(f"content={name!r}" for name in (*suitable, "joint"))
    raise ConfigError(
        f"content={kind!r} is for {MEASURED_CONTENTS[kind].noun}; got samples of shape {shape}; "
        f"set {choices}"
    )
