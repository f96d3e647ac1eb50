"""The plug-in ``acme``: how the frames of a venue are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bloor.hookspecs import hookimpl

if TYPE_CHECKING:
    from bloor.hookspecs import NormalizerSpec


@hookimpl
def bloor_normalizer() -> NormalizerSpec:
    """Frames to messages."""
    from bloor_acme.normalizer import normalizer_spec

    return normalizer_spec()
