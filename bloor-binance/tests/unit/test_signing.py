"""Request signatures against the published test vectors (binance-spot-api-docs)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bloor.errors import ConfigError
from bloor.venue.secret import Secret
from bloor_binance.signing import BinanceCredentials, payload, read_credentials

API_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
HMAC_KEYS = BinanceCredentials(api_key=API_KEY, secret=Secret(SECRET))
#: The only private key that Binance has published (FIX API, Logon).
KEY = "MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u"
PEM = f"-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("LTCBTC", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
        (
            "%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96",
            "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
        ),
    ],
)
def test_published_rest_signatures(symbol: str, expected: str) -> None:
    """The two REST examples of the documentation, the second with a percent-encoded symbol."""
    order = f"symbol={symbol}&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
    text = f"{order}&recvWindow=5000&timestamp=1499827319559"
    assert HMAC_KEYS.sign(text.encode()) == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (
            {"symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01000000",
             "price": "52000.00", "recvWindow": 100, "timestamp": 1645423376532},
            "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24",
        ),
        (
            {"symbol": "１２３４５６", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1.00000000",
             "price": "0.10000000", "recvWindow": 5000, "timestamp": 1645423376532},
            "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd",
        ),
    ],
)  # fmt: skip
def test_published_websocket_signatures(params: dict[str, Any], expected: str) -> None:
    """The WebSocket API examples: parameters sorted by name, UTF-8, not percent-encoded."""
    signed = HMAC_KEYS.signed(params)
    assert signed["signature"] == expected
    assert signed["apiKey"] == API_KEY
    assert payload({"b": 1, "a": "x"}) == b"a=x&b=1"


def test_published_ed25519_signature() -> None:
    """The FIX logon example, the only published Ed25519 signature with its key."""
    keys = read_credentials({"ed25519": {"api_key": "k", "private_key_pem": PEM}})
    text = b"A\x01EXAMPLE\x01SPOT\x011\x0120240627-11:17:25.223"
    assert keys.can_log_on
    assert keys.sign(text) == "4MHXelVVcpkdwuLbl6n73HQUXUf1dse2PCgT1DYqW9w8AVZ1RACFGM+5UdlGPrQHrgtS3CvsRURC1oj73j8gCA=="


def test_ed25519_is_preferred_over_hmac() -> None:
    """With both kinds of key, the one that can log a connection on is taken."""
    both = {"hmac": {"api_key": "h", "secret": "s"}, "ed25519": {"api_key": "e", "private_key_pem": PEM}}
    assert read_credentials(both).api_key == "e"
    assert not read_credentials({"hmac": both["hmac"]}).can_log_on


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({}, "credentials.binance"),
        ({"rsa": {}}, "credentials.binance.rsa.private_key_pem"),
        ({"rsa": {"api_key": "k", "private_key_pem": PEM}}, "credentials.binance.rsa.private_key_pem"),
        ({"hmac": {"api_key": "k"}}, "credentials.binance.hmac.secret"),
        ({"hmac": {"api_key": 7, "secret": "canary"}}, "credentials.binance.hmac.api_key"),
        ({"ed25519": {"api_key": "k", "private_key_pem": "canary"}}, "credentials.binance.ed25519.private_key_pem"),
    ],
)
def test_wrong_keys_are_named_and_never_shown(keys: dict[str, Any], path: str) -> None:
    """The error names the place and holds nothing of the key."""
    with pytest.raises(ConfigError) as caught:
        read_credentials(keys)
    assert caught.value.path == path
    assert "canary" not in str(caught.value)


def test_keys_are_not_in_a_repr() -> None:
    """Printing credentials shows neither secret nor private key."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    shown = repr(read_credentials({"ed25519": {"api_key": "k", "private_key_pem": pem}})) + repr(HMAC_KEYS)
    assert SECRET not in shown
    assert "Ed25519PrivateKey" not in shown
