"""What tests of several folders share."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def trading() -> ModuleType:
    """What tests of trading share: the module ``simulation/trading.py``."""
    spec = importlib.util.spec_from_file_location("coinbase_trading", Path(__file__).parent / "simulation/trading.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
