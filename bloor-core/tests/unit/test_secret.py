"""Secrets are never shown."""

from __future__ import annotations

import pickle

import pytest

from bloor.venue.secret import Secret


def test_no_way_of_showing_it_shows_it() -> None:
    """repr, str, format and containers hide the value; reveal gives it."""
    secret = Secret("canary")
    assert "canary" not in f"{secret!r}{secret}{secret:>30}{[secret]}"
    assert secret.reveal() == "canary"


def test_it_compares_but_neither_hashes_nor_pickles() -> None:
    """Equality works; a set, a cache key or another process cannot get it."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    with pytest.raises(TypeError):
        hash(Secret("a"))
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(Secret("a"))
