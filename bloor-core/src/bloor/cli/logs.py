"""Logging is set up here and nowhere else: to stderr, one line per change of life cycle."""

from __future__ import annotations

import sys

from bloor.config.sections import LogLevel

__all__ = ["configure", "instead_of_default"]

_FORMAT = "<dim>{time:HH:mm:ss.SSS}</dim> <level>{level: <7}</level> {message}"


def configure(level: LogLevel) -> None:
    """Sends everything from ``level`` upwards to stderr.

    ``diagnose`` stays off: tracebacks that print variables would print keys.
    """
    from loguru import logger

    logger.remove()
    logger.add(sys.stderr, level=level.value.upper(), format=_FORMAT, diagnose=False, backtrace=False)


def instead_of_default() -> None:
    """In a program of the user's: warnings and worse to stderr, in the place of loguru's own first handler.

    That one prints the variables of a traceback, and so keys. Handlers that the program has added itself are its own
    affair, and so is a default one that it has removed.
    """
    from loguru import logger

    try:
        logger.remove(0)
    except ValueError:
        return
    logger.add(_write, level="WARNING", format=_FORMAT, diagnose=False, backtrace=False)


def _write(text: str) -> None:
    sys.stderr.write(text)  # the stderr of now: a notebook has another for each cell
