"""Typed configuration: layers, their precedence, sections and their types.

::

    raw = read_layers(file=None, environ=os.environ, sets=["run.mode=paper"])
    core = raw.core()
    limits = raw.section(("risk", "order-limits"), OrderLimits)

:func:`read_layers` merges file, environment, ``--set`` and options of the command; every value keeps its source. A
section is typed by an attrs class when it is asked for, and an error says path, expectation, value and source.
"""

from __future__ import annotations

from bloor.config.duration import Duration, parse_duration
from bloor.config.fingerprint import fingerprint
from bloor.config.raw import CoreConfig, RawConfig, read_layers, section
from bloor.config.sections import AllowedDistribution, LogConfig, LogLevel, Mode, PluginsConfig, RunConfig

__all__ = [
    "AllowedDistribution",
    "CoreConfig",
    "Duration",
    "LogConfig",
    "LogLevel",
    "Mode",
    "PluginsConfig",
    "RawConfig",
    "RunConfig",
    "fingerprint",
    "parse_duration",
    "read_layers",
    "section",
]
