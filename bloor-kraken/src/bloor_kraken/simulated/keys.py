"""The keys of the simulated account, the signatures made with them, and the tokens that they buy.

Keys are derived from the seed; they guard pretended money on loopback, so that a script may print and reuse them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from enum import Flag, auto
from typing import Any

from attrs import define

from bloor.simulation.keys import seeded_bytes, seeded_text
from bloor_kraken.simulated.errors import ApiError, Text

__all__ = ["TOKEN_S", "ApiKey", "Permission", "SimulatedKeys", "Tokens"]

_VENUE = "kraken"
#: Seconds in which a token must be used.
TOKEN_S = 900
_SECOND = 1_000_000_000


class Permission(Flag):
    """What a key may do, as Kraken's page of keys lists it."""

    QUERY_FUNDS = auto()
    QUERY_ORDERS = auto()
    MODIFY_ORDERS = auto()
    CANCEL_ORDERS = auto()
    WEBSOCKETS = auto()
    READ = QUERY_FUNDS | QUERY_ORDERS
    ALL = READ | MODIFY_ORDERS | CANCEL_ORDERS | WEBSOCKETS


#: As ``GetApiKeyInfo`` names them.
_WORDS = {
    Permission.QUERY_FUNDS: ("query-funds",),
    Permission.QUERY_ORDERS: ("query-open-trades", "query-closed-trades"),
    Permission.MODIFY_ORDERS: ("modify-trades",),
    Permission.CANCEL_ORDERS: ("close-trades",),
    Permission.WEBSOCKETS: ("access-ws",),
}


@define(eq=False)
class ApiKey:
    """One key.

    Attributes:
        title: What its owner calls it.
        name: Its public part.
        secret: Its private part.
        account: Whose it is.
        permissions: What it may do.
        nonce: The highest nonce that was seen with it.
    """

    title: str
    name: str
    secret: bytes
    account: int
    permissions: Permission
    nonce: int = -1

    def verify(self, path: str, nonce: str, body: bytes, signature: str) -> None:
        """Checks ``API-Sign`` over the exact body, and that the nonce rises.

        Raises:
            ApiError: EAPI:Invalid signature, or EAPI:Invalid nonce.
        """
        digest = hashlib.sha256(nonce.encode() + body).digest()
        expected = base64.b64encode(hmac.new(self.secret, path.encode() + digest, hashlib.sha512).digest())
        if not hmac.compare_digest(expected, signature.encode("utf-8", "replace")):
            raise ApiError(Text.INVALID_SIGNATURE)
        if not (nonce.isascii() and nonce.isdigit() and len(nonce) <= 20) or not self.nonce < int(nonce) < 1 << 64:
            raise ApiError(Text.INVALID_NONCE)
        self.nonce = int(nonce)

    def document(self) -> dict[str, Any]:
        """What ``GetApiKeyInfo`` says of it."""
        words = [word for permission, names in _WORDS.items() if permission in self.permissions for word in names]
        return {"api_key_name": self.title, "permissions": words, "ip_allowlist": []}

    def require(self, permission: Permission) -> None:
        """Refuses what the key may not do. Raises ApiError EGeneral:Permission denied."""
        if permission not in self.permissions:
            raise ApiError(Text.PERMISSION_DENIED)


class SimulatedKeys:
    """Two keys of one account.

    Attributes:
        trading: May do everything that is offered.
        read_only: May look at funds and orders.
    """

    def __init__(self, seed: int, account: int) -> None:
        self.trading = _key(seed, "trading", account, Permission.ALL)
        self.read_only = _key(seed, "read only", account, Permission.READ)

    def find(self, name: str) -> ApiKey:
        """The key of a public part. Raises ApiError EAPI:Invalid key."""
        for key in (self.trading, self.read_only):
            if key.name == name:
                return key
        raise ApiError(Text.INVALID_KEY)

    def document(self) -> dict[str, str]:
        """The trading key as a client takes it."""
        return {"api_key": self.trading.name, "secret": base64.b64encode(self.trading.secret).decode()}


@define(eq=False)
class _Token:
    key: ApiKey
    issued_ns: int
    connections: set[int]


class Tokens:
    """Tokens of private connections: good for 900 seconds, and then as long as a private subscription holds them.

    Args:
        seed: Fixes them.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tokens: dict[str, _Token] = {}

    def issue(self, key: ApiKey, now_ns: int) -> str:
        """A new token."""
        token = seeded_text(_VENUE, self._seed, f"token {len(self._tokens)}", 43)
        self._tokens[token] = _Token(key, now_ns, set())
        return token

    def key(self, token: object, now_ns: int) -> ApiKey:
        """Whose token it is. Raises ApiError: there is none, or it is not valid (any more)."""
        if type(token) is not str or not token:
            raise ApiError(Text.UNTOLD)
        known = self._tokens.get(token)
        if known is None or (not known.connections and now_ns - known.issued_ns > TOKEN_S * _SECOND):
            raise ApiError(Text.INVALID_SESSION)
        return known.key

    def hold(self, token: str, conn: int) -> None:
        """A private subscription of a connection keeps the token alive."""
        self._tokens[token].connections.add(conn)

    def release(self, conn: int) -> None:
        """The connection has no private subscription any more."""
        for token in self._tokens.values():
            token.connections.discard(conn)


def _key(seed: int, what: str, account: int, permissions: Permission) -> ApiKey:
    name = seeded_text(_VENUE, seed, f"{what} api key", 56)
    return ApiKey(what, name, seeded_bytes(_VENUE, seed, f"{what} secret", 64), account, permissions)
