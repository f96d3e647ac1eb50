"""Logging is set up here and nowhere else: to stderr, one line per change of life cycle."""

from __future__ import annotations

import sys

from bloor.config.sections import LogLevel

__all__ = ["configure"]

_FORMAT = "<dim>{time:HH:mm:ss.SSS}</dim> <level>{level: <7}</level> {message}"


def configure(level: LogLevel) -> None:
    """Sends everything from ``level`` upwards to stderr.

    ``diagnose`` stays off: tracebacks that print variables would print keys.
    """
    from loguru import logger

    logger.remove()
    logger.add(sys.stderr, level=level.value.upper(), format=_FORMAT, diagnose=False, backtrace=False)
