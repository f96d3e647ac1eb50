"""Tokens of Coinbase Advanced Trade (sans I/O): one short-lived JWT per request or private subscription.

Header ``{alg, typ, kid, nonce}``, claims ``{sub, iss: "cdp", nbf, exp, uri}`` (docs.cdp.coinbase.com, "Coinbase App
authentication"). The signature is ES256 (raw ``r || s``, not DER) or EdDSA, by the kind of the key. ``uri`` is
``GET api.coinbase.com/api/v3/brokerage/accounts``: no scheme, no query; WebSocket tokens have none.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from itertools import count
from typing import Any, TypeAlias

from attrs import field, frozen
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bloor.errors import ConfigError
from bloor.hookspecs import StandInKeys

__all__ = [
    "LIFETIME_S",
    "STAND_IN",
    "CoinbaseCredentials",
    "Tokens",
    "load_private_key",
    "read_credentials",
    "redacted",
    "request_uri",
]

#: How long a token lives, in seconds. A subscription goes on after its token has expired.
LIFETIME_S = 120

PrivateKey: TypeAlias = EllipticCurvePrivateKey | Ed25519PrivateKey

SECOND = 1_000_000_000
_WHERE = "credentials.coinbase"
#: What a token looks like: three parts of base64url, of which the first is a JSON object.
_TOKEN = re.compile(rb"eyJ[\w-]*+\.[\w-]*+\.[\w-]*+")
_KEY = "an EC P-256 key in PEM, or an Ed25519 key in PEM or as base64 of 32 or 64 bytes"


@frozen(kw_only=True)
class CoinbaseCredentials:
    """One CDP key.

    Attributes:
        key_name: ``organizations/{org}/apiKeys/{id}``.
        private_key: Signs tokens; its kind decides the algorithm.
    """

    key_name: str = field(repr=False)
    private_key: PrivateKey = field(repr=False)

    def token(self, now_s: int, nonce: str, uri: str | None = None) -> str:
        """A JWT, good for one request.

        Args:
            now_s: Seconds since the epoch.
            nonce: Random hexadecimal text, new for every token.
            uri: What :func:`request_uri` says; None for a WebSocket subscription.
        """
        algorithm = "EdDSA" if isinstance(self.private_key, Ed25519PrivateKey) else "ES256"
        header = {"alg": algorithm, "kid": self.key_name, "nonce": nonce, "typ": "JWT"}
        claims: dict[str, str | int] = {"sub": self.key_name, "iss": "cdp", "nbf": now_s, "exp": now_s + LIFETIME_S}
        if uri is not None:
            claims["uri"] = uri
        signed = f"{_part(header)}.{_part(claims)}"
        return f"{signed}.{_base64url(self._sign(signed.encode()))}"

    def _sign(self, text: bytes) -> bytes:
        if isinstance(self.private_key, Ed25519PrivateKey):
            return self.private_key.sign(text)
        r, s = decode_dss_signature(self.private_key.sign(text, ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Tokens:
    """Makes tokens for one host, each with a nonce of its own.

    Args:
        credentials: Whose.
        host: The host that REST requests go to, without scheme.
    """

    def __init__(self, credentials: CoinbaseCredentials, host: str) -> None:
        self._credentials = credentials
        self._host = host
        self._numbers = count()

    def of_request(self, method: str, path: str, venue_ns: int) -> dict[str, str]:
        """What a REST request says in its head; the token is good for two minutes of the venue's time."""
        token = self._made(venue_ns, request_uri(method, self._host, path))
        return {"Authorization": f"Bearer {token}"}

    def of_subscription(self, venue_ns: int) -> str:
        """The token of one subscription."""
        return self._made(venue_ns, None)

    def _made(self, venue_ns: int, uri: str | None) -> str:
        nonce = hashlib.sha256(f"{venue_ns} {next(self._numbers)} {uri}".encode()).hexdigest()[:32]
        return self._credentials.token(venue_ns // SECOND, nonce, uri)


def redacted(frame: bytes) -> bytes:
    """A frame without the tokens in it."""
    return _TOKEN.sub(b"***", frame) if b"eyJ" in frame else frame


def request_uri(method: str, host: str, path: str) -> str:
    """The ``uri`` claim of a REST request; a query in ``path`` is left out."""
    return f"{method.upper()} {host}{path.partition('?')[0]}"


def load_private_key(text: str) -> PrivateKey:
    """Reads a private key in any form that Coinbase hands out.

    PEM (SEC1 or PKCS#8; line ends may be escaped, as they are in environment variables), or base64 of an
    Ed25519 seed, with or without the public key after it.

    Raises:
        ConfigError: It is none of these. The message holds no key.
    """
    pem = text.replace("\\n", "\n").strip()
    return _from_pem(pem) if pem.startswith("-----BEGIN") else _from_base64(pem)


def read_credentials(keys: Mapping[str, Any]) -> CoinbaseCredentials:
    """Reads ``{"key_name", "private_key_pem"}``.

    Raises:
        ConfigError: One is missing, or is no such key. The message holds no key.
    """
    for name in ("key_name", "private_key_pem"):
        if not isinstance(keys.get(name), str) or not keys[name]:
            got = "nothing" if keys.get(name) in (None, "") else type(keys[name]).__name__
            raise ConfigError(f"{_WHERE}.{name}", "a non-empty text", got)
    return CoinbaseCredentials(key_name=keys["key_name"], private_key=load_private_key(keys["private_key_pem"]))


def _from_pem(pem: str) -> PrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _wrong("PEM text that holds no unencrypted key") from None
    if isinstance(key, Ed25519PrivateKey):
        return key
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    raise _wrong(f"a key of another kind ({type(key).__name__})")


def _from_base64(text: str) -> PrivateKey:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _wrong("text that is neither PEM nor base64") from None
    if len(raw) not in (32, 64):
        raise _wrong(f"base64 of {len(raw)} bytes")
    key = Ed25519PrivateKey.from_private_bytes(raw[:32])
    if raw[32:] and key.public_key().public_bytes_raw() != raw[32:]:
        raise _wrong("base64 of a seed with the public key of another seed")
    return key


def _kind(credentials: CoinbaseCredentials) -> str:
    return "ed25519" if isinstance(credentials.private_key, Ed25519PrivateKey) else "es256"


def _made_up(kind: str) -> CoinbaseCredentials:
    """A key of this kind that no account has.

    Raises:
        ConfigError: There is no such kind.
    """
    if kind == "ed25519":
        return CoinbaseCredentials(key_name="stand-in", private_key=Ed25519PrivateKey.from_private_bytes(bytes(32)))
    if kind == "es256":
        return CoinbaseCredentials(key_name="stand-in", private_key=derive_private_key(1, SECP256R1()))
    raise ConfigError(_WHERE, "the kind ed25519 or es256", repr(kind))


#: Keys for a replay.
STAND_IN = StandInKeys(kind=_kind, make=_made_up)


def _wrong(got: str) -> ConfigError:
    return ConfigError(f"{_WHERE}.private_key_pem", _KEY, got)


def _part(value: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
