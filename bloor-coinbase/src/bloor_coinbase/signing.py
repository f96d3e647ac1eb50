"""Tokens of Coinbase Advanced Trade (sans I/O): one short-lived JWT per request or private subscription.

Header ``{alg, typ, kid, nonce}``, claims ``{sub, iss: "cdp", nbf, exp, uri}`` (docs.cdp.coinbase.com, "Coinbase App
authentication"). The signature is ES256 (raw ``r || s``, not DER) or EdDSA, by the kind of the key. ``uri`` is
``GET api.coinbase.com/api/v3/brokerage/accounts``: no scheme, no query; WebSocket tokens have none.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from attrs import field, frozen
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bloor.errors import ConfigError

__all__ = ["LIFETIME_S", "CoinbaseCredentials", "load_private_key", "read_credentials", "request_uri"]

#: How long a token lives, in seconds. A subscription goes on after its token has expired.
LIFETIME_S = 120

PrivateKey: TypeAlias = EllipticCurvePrivateKey | Ed25519PrivateKey

_WHERE = "credentials.coinbase"
_KEY = "an EC P-256 key in PEM, or an Ed25519 key in PEM or as base64 of 32 or 64 bytes"


@frozen(kw_only=True)
class CoinbaseCredentials:
    """One CDP key.

    Attributes:
        key_name: ``organizations/{org}/apiKeys/{id}``.
        private_key: Signs tokens; its kind decides the algorithm.
    """

    key_name: str
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


def _wrong(got: str) -> ConfigError:
    return ConfigError(f"{_WHERE}.private_key_pem", _KEY, got)


def _part(value: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
