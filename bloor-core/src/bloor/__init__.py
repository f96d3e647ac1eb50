"""bloor: a plug-in host for low-latency crypto trading.

Importing this package costs nothing: every room is imported only when it is used, and so is every function here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bloor.api.backtest import backtest as backtest
    from bloor.api.data import import_data as import_data
    from bloor.api.data import normalize as normalize
    from bloor.api.replay import replay as replay
    from bloor.api.run import record as record
    from bloor.api.run import run as run
    from bloor.api.venues import simulated_venue as simulated_venue
    from bloor.storage.load import load as load
    from bloor.strategy.api import Strategy as Strategy
    from bloor.strategy.params import param as param

__all__ = [
    "Strategy",
    "__version__",
    "backtest",
    "import_data",
    "load",
    "normalize",
    "param",
    "plugins",
    "record",
    "replay",
    "run",
    "simulated_venue",
]

__version__ = "0.1.0"

#: Where each name comes from.
_HOMES = {
    "Strategy": "bloor.strategy.api",
    "backtest": "bloor.api.backtest",
    "import_data": "bloor.api.data",
    "load": "bloor.storage.load",
    "normalize": "bloor.api.data",
    "param": "bloor.strategy.params",
    "record": "bloor.api.run",
    "replay": "bloor.api.replay",
    "run": "bloor.api.run",
    "simulated_venue": "bloor.api.venues",
}


def __getattr__(name: str) -> Any:
    """A name of the API, imported when it is first asked for."""
    from importlib import import_module

    if name == "plugins":
        return import_module("bloor.plugins")
    if name not in _HOMES:
        raise AttributeError(f"module 'bloor' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
