"""Kraken's signatures, against the vectors that Kraken publishes."""

from __future__ import annotations

import pytest

from bloor.errors import ConfigError
from bloor_kraken.signing import STAND_IN, KrakenCredentials, Nonces, read_credentials

# docs.kraken.com, "Spot REST authentication": the worked example
SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
BODY = b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
SIGNED = "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="


def credentials() -> KrakenCredentials:
    return read_credentials({"api_key": "key", "secret": SECRET})


def test_the_published_example_is_reproduced():
    """The signature of Kraken's own example comes out to the letter."""
    assert credentials().sign("/0/private/AddOrder", 1616492376594, BODY) == SIGNED


def test_headers_carry_key_and_signature():
    """A request is authenticated by two headers."""
    headers = credentials().headers("/0/private/AddOrder", 1616492376594, BODY)
    assert headers == {"API-Key": "key", "API-Sign": SIGNED}


def test_neither_key_nor_secret_is_shown():
    """Printing credentials shows nothing of either."""
    shown = repr(credentials())
    assert SECRET not in shown and "'key'" not in shown


def test_a_stand_in_for_a_replay_opens_nothing():
    """It signs, the same each time, with a key that is not the account's; another kind is refused."""
    made = STAND_IN.make(STAND_IN.kind(credentials()))
    assert made.sign("/", 1, b"") == STAND_IN.make("hmac").sign("/", 1, b"") != credentials().sign("/", 1, b"")
    with pytest.raises(ConfigError, match="expected the kind hmac, got 'stone'"):
        STAND_IN.make("stone")


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"secret": SECRET}, "credentials.kraken.api_key"),
        ({"api_key": "key"}, "credentials.kraken.secret"),
        ({"api_key": 3, "secret": SECRET}, "credentials.kraken.api_key"),
        ({"api_key": "key", "secret": "not base64!"}, "credentials.kraken.secret"),
    ],
)
def test_wrong_credentials_are_refused_by_name(keys, path):
    """What is missing or malformed is named, and its value is not."""
    with pytest.raises(ConfigError) as caught:
        read_credentials(keys)
    assert caught.value.path == path
    assert "not base64!" not in str(caught.value)


def test_nonces_rise_when_the_clock_does_not():
    """A clock that stands still or steps back never repeats a nonce."""
    nonces = Nonces()
    drawn = [nonces.next(now) for now in (5_000_000, 5_000_000, 4_000_000, 9_000_000)]
    assert drawn == [5_000, 5_001, 5_002, 9_000]
