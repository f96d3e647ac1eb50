"""Signatures of Kraken's private REST requests (sans I/O).

``API-Sign = base64(HMAC-SHA512(base64decode(secret), path + SHA256(nonce + body)))`` (docs.kraken.com, "Spot REST
authentication"). ``body`` is the exact body that is sent, form-encoded or JSON, and holds the same ``nonce``. Private
WebSockets need no signature of their own: their token comes from the signed request ``GetWebSocketsToken``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from bloor.errors import ConfigError
from bloor.hookspecs import StandInKeys
from bloor.venue.secret import Secret

__all__ = ["STAND_IN", "KrakenCredentials", "Nonces", "read_credentials"]


class Nonces:
    """Strictly rising nonces of one key: unsigned 64-bit, in microseconds of the clock that is handed in.

    Kraken refuses a nonce that is not above the last one it saw, for ever; one key therefore belongs to one process.
    """

    def __init__(self, last: int = 0) -> None:
        self._last = last

    def next(self, now_ns: int) -> int:
        """The next nonce, also when the clock stood still or stepped back."""
        self._last = max(self._last + 1, now_ns // 1_000)
        return self._last

    def leap(self) -> None:
        """Kraken has seen a higher one than we know of: goes on ten seconds further on."""
        self._last += 10_000_000


@frozen(kw_only=True)
class KrakenCredentials:
    """One API key.

    Attributes:
        api_key: The public part.
        secret: The private part, base64 text.
        nonces: The nonces of this key, for everything in this process that signs with it.
    """

    api_key: str = field(repr=False)
    secret: Secret
    nonces: Nonces = field(factory=Nonces, repr=False, eq=False)

    def sign(self, path: str, nonce: int, body: bytes) -> str:
        """``API-Sign`` of a request.

        Args:
            path: Path of the URL, e.g. ``/0/private/AddOrder``.
            nonce: The nonce, which ``body`` holds too.
            body: The body exactly as it is sent.
        """
        digest = hashlib.sha256(str(nonce).encode() + body).digest()
        key = base64.b64decode(self.secret.reveal(), validate=True)
        return base64.b64encode(hmac.new(key, path.encode() + digest, hashlib.sha512).digest()).decode()

    def headers(self, path: str, nonce: int, body: bytes) -> dict[str, str]:
        """The headers that authenticate a request; arguments as of :meth:`sign`."""
        return {"API-Key": self.api_key, "API-Sign": self.sign(path, nonce, body)}


def read_credentials(keys: Mapping[str, Any]) -> KrakenCredentials:
    """Reads ``{"api_key", "secret"}``.

    Raises:
        ConfigError: One is missing, or the secret is not base64. The message holds no key.
    """
    for name in ("api_key", "secret"):
        if not isinstance(keys.get(name), str) or not keys[name]:
            got = "nothing" if keys.get(name) in (None, "") else type(keys[name]).__name__
            raise ConfigError(f"credentials.kraken.{name}", "a non-empty text", got)
    try:
        base64.b64decode(keys["secret"], validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError("credentials.kraken.secret", "base64 text, as Kraken shows it", "something else") from None
    return KrakenCredentials(api_key=keys["api_key"], secret=Secret(keys["secret"]))


def _made_up(kind: str) -> KrakenCredentials:
    """A key that no account has.

    Raises:
        ConfigError: There is no such kind.
    """
    if kind != "hmac":
        raise ConfigError("credentials.kraken", "the kind hmac", repr(kind))
    return KrakenCredentials(api_key="stand-in", secret=Secret("c3RhbmQtaW4="))


#: Keys for a replay; Kraken has one kind.
STAND_IN = StandInKeys(kind=lambda _: "hmac", make=_made_up)
