"""Who asks: the tokens (JWT) of requests and private subscriptions, verified as Coinbase does.

A token is good from ``nbf`` to ``exp``, at most two minutes, and for one method and path (``uri``, or the list ``uris``
of the newer clients); those of WebSocket subscriptions are for none. A scheme before the host is stripped before
comparing, since clients whose base URL was changed send it (docs.cdp.coinbase.com, "Coinbase App authentication").
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

import orjson
from attrs import frozen
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from bloor_coinbase.simulated.keys import SimulatedKey

__all__ = ["ApiKey", "KeyRing"]

_S = 1_000_000_000
#: How far ahead a client's clock may be, and how long after its end a token is still taken, in seconds.
_LEEWAY_S = 5
#: The longest life of a token, in seconds.
LIFETIME_S = 120
_ISSUERS = ("cdp", "coinbase-cloud")
_HOST = "api.coinbase.com"


@frozen
class ApiKey:
    """A key that the exchange knows.

    Attributes:
        name: The key's name.
        account: Number of its account.
        trades: Whether it may place orders.
        public: Checks its signatures.
    """

    name: str
    account: int
    trades: bool
    public: EllipticCurvePublicKey | Ed25519PublicKey

    @property
    def algorithm(self) -> str:
        """What its tokens say in ``alg``."""
        return "EdDSA" if isinstance(self.public, Ed25519PublicKey) else "ES256"

    def signed(self, text: bytes, signature: bytes) -> bool:
        """Whether ``signature`` (raw ``r || s`` or Ed25519) is this key's of ``text``."""
        if len(signature) != 64:
            return False
        try:
            if isinstance(self.public, Ed25519PublicKey):
                self.public.verify(signature, text)
            else:
                r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
                self.public.verify(encode_dss_signature(r, s), text, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


class KeyRing:
    """The keys that the exchange knows.

    Args:
        keys: All of them.
        account: Whose they are.
    """

    def __init__(self, keys: Iterable[SimulatedKey], account: int) -> None:
        self._keys = {key.name: ApiKey(key.name, account, key.trades, key.private.public_key()) for key in keys}

    def request(self, authorization: str, method: str, host: str, path: str, now_ns: int) -> ApiKey | None:
        """Whose token came with a request; None when it is not good for it.

        Args:
            authorization: The header: ``Bearer`` and the token.
            method: HTTP method.
            host: The header ``Host``; empty when there was none.
            path: Path without query.
            now_ns: Wall time.
        """
        scheme, _, token = authorization.partition(" ")
        key, claims = self._verified(token.strip(), now_ns)
        if scheme.lower() != "bearer" or key is None:
            return None
        named = [claims.get("uri"), *_list(claims.get("uris"))]
        return key if any(isinstance(uri, str) and _is_for(uri, method, host, path) for uri in named) else None

    def subscription(self, token: str, now_ns: int) -> ApiKey | None:
        """Whose token came with a subscription; None when it is not good."""
        key, claims = self._verified(token, now_ns)
        return key if "uri" not in claims and "uris" not in claims else None

    def _verified(self, token: str, now_ns: int) -> tuple[ApiKey | None, dict[str, Any]]:
        header_text, _, rest = token.partition(".")
        claims_text, _, signature_text = rest.partition(".")
        header, claims, signature = _object(header_text), _object(claims_text), _decoded(signature_text)
        if header is None or claims is None or signature is None:
            return None, {}
        key = self._keys.get(str(header.get("kid")))
        if key is None or header.get("alg") != key.algorithm or claims.get("sub") != key.name:
            return None, {}
        if claims.get("iss") not in _ISSUERS or not _in_time(claims, now_ns):
            return None, {}
        good = key.signed(f"{header_text}.{claims_text}".encode(), signature)
        return (key, claims) if good else (None, {})


def _is_for(uri: str, method: str, host: str, path: str) -> bool:
    """Whether a token for ``uri`` is for this request; its host is the one that was asked, or the real exchange's."""
    verb, _, target = uri.partition(" ")
    for scheme in ("https://", "http://"):
        target = target.removeprefix(scheme)
    named, slash, rest = target.partition("/")
    if verb != method or slash + rest.partition("?")[0] != path:
        return False
    return not host or named in (host, _HOST)


def _in_time(claims: dict[str, Any], now_ns: int) -> bool:
    begins, ends = claims.get("nbf"), claims.get("exp")
    if type(begins) is not int or type(ends) is not int:
        return False
    now_s = now_ns // _S
    return begins - _LEEWAY_S <= now_s <= ends + _LEEWAY_S and 0 < ends - begins <= LIFETIME_S


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _object(text: str) -> dict[str, Any] | None:
    raw = _decoded(text)
    if raw is None:
        return None
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _decoded(text: str) -> bytes | None:
    """Base64url without padding; None when it is none."""
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
