"""Keys for a replay."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from bloor.errors import ConfigError
from bloor.venue.secret import Secret
from bloor_binance.signing import STAND_IN, BinanceCredentials

KEYS = {
    "ed25519": BinanceCredentials(api_key="a", private_key=Ed25519PrivateKey.generate()),
    "rsa": BinanceCredentials(api_key="a", private_key=generate_private_key(65537, 2048)),
    "hmac": BinanceCredentials(api_key="a", secret=Secret("s")),
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_stand_in_takes_the_same_way(kind: str) -> None:
    """It logs on where the account's key does, signs every request where that does, and is the same each time."""
    told = STAND_IN.kind(KEYS[kind])
    made = STAND_IN.make(told)
    assert made.can_log_on == KEYS[kind].can_log_on
    assert made.signed({"x": 1}) == STAND_IN.make(told).signed({"x": 1})
    assert made.api_key != KEYS[kind].api_key


def test_an_unknown_kind_is_refused() -> None:
    """A journal of another version may name one."""
    with pytest.raises(ConfigError, match="expected the kind ed25519 or hmac, got 'stone'"):
        STAND_IN.make("stone")
