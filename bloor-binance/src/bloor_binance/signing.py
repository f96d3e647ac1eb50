"""Signatures of Binance requests (sans I/O).

WebSocket API: every parameter but the signature, sorted by name, joined as ``k=v&k=v``, UTF-8, *not* percent-encoded
(binance-spot-api-docs, "WebSocket API: Request security"). REST: the query and body as sent, percent-encoded.
HMAC-SHA256 signatures are lower-case hex; Ed25519 and RSA (PKCS#1 v1.5 with SHA-256) ones base64.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bloor.errors import ConfigError
from bloor.hookspecs import StandInKeys
from bloor.venue.secret import Secret

__all__ = ["STAND_IN", "BinanceCredentials", "Value", "payload", "read_credentials"]

#: A parameter of a request.
Value = str | int


@frozen(kw_only=True)
class BinanceCredentials:
    """One API key: with an Ed25519 private key, which can authenticate a connection once, an RSA one, or a secret."""

    api_key: str = field(repr=False)
    secret: Secret | None = None
    private_key: Ed25519PrivateKey | RSAPrivateKey | None = field(default=None, repr=False)

    @property
    def can_log_on(self) -> bool:
        """Whether ``session.logon`` is possible: Ed25519 keys only."""
        return isinstance(self.private_key, Ed25519PrivateKey)

    def sign(self, text: bytes) -> str:
        """The signature of ``text``."""
        if isinstance(self.private_key, Ed25519PrivateKey):
            return base64.b64encode(self.private_key.sign(text)).decode()
        if self.private_key is not None:
            return base64.b64encode(self.private_key.sign(text, PKCS1v15(), SHA256())).decode()
        assert self.secret is not None
        return hmac.new(self.secret.reveal().encode(), text, hashlib.sha256).hexdigest()

    def signed(self, params: Mapping[str, Value]) -> dict[str, Value]:
        """``params`` with ``apiKey`` and ``signature`` added, as a WebSocket API request carries them."""
        whole = {**params, "apiKey": self.api_key}
        return {**whole, "signature": self.sign(payload(whole))}

    def signed_query(self, params: Mapping[str, Value]) -> tuple[str, str]:
        """``(query, what follows it)`` of a REST request: percent-encoded before it is signed, the signature last."""
        query = urlencode(params, quote_via=quote)
        return query, "&signature=" + quote(self.sign(query.encode()), safe="")

    @property
    def headers(self) -> dict[str, str]:
        """What a signed REST request says in its head."""
        return {"X-MBX-APIKEY": self.api_key}


def payload(params: Mapping[str, Value]) -> bytes:
    """The text that the signature of a WebSocket API request covers."""
    return "&".join(f"{key}={params[key]}" for key in sorted(params)).encode()


def _text(section: Mapping[str, Any], key: str, where: str) -> str:
    value = section.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where}.{key}", "a non-empty text", "nothing" if value is None else type(value).__name__)
    return value


def _private(section: Mapping[str, Any], where: str) -> PrivateKeyTypes:
    pem = _text(section, "private_key_pem", where)
    try:
        return load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{where}.private_key_pem", "an unencrypted PKCS#8 key in PEM", "something else") from error


def read_credentials(keys: Mapping[str, Any]) -> BinanceCredentials:
    """Reads ``{"ed25519": {"api_key", "private_key_pem"}}``, ``{"hmac": {"api_key", "secret"}}`` or ``"rsa"`` (a PEM).

    Where several are there, the Ed25519 key is taken, for it can authenticate a connection once; then the HMAC secret,
    for an RSA signature takes a hundred times as long.

    Raises:
        ConfigError: None is there, or a part is missing or no such key. The message holds no key.
    """
    if isinstance(section := keys.get("ed25519"), Mapping):
        where = "credentials.binance.ed25519"
        ed25519 = _private(section, where)
        if not isinstance(ed25519, Ed25519PrivateKey):
            raise ConfigError(f"{where}.private_key_pem", "an Ed25519 key", type(ed25519).__name__)
        return BinanceCredentials(api_key=_text(section, "api_key", where), private_key=ed25519)
    if isinstance(section := keys.get("hmac"), Mapping):
        where = "credentials.binance.hmac"
        return BinanceCredentials(
            api_key=_text(section, "api_key", where), secret=Secret(_text(section, "secret", where))
        )
    if isinstance(section := keys.get("rsa"), Mapping):
        where = "credentials.binance.rsa"
        rsa = _private(section, where)
        if not isinstance(rsa, RSAPrivateKey):
            raise ConfigError(f"{where}.private_key_pem", "an RSA key", type(rsa).__name__)
        return BinanceCredentials(api_key=_text(section, "api_key", where), private_key=rsa)
    came = ", ".join(map(str, keys)) or "nothing"
    raise ConfigError("credentials.binance", "a key 'ed25519', 'hmac' or 'rsa'", came)


def _kind(credentials: BinanceCredentials) -> str:
    # an RSA key signs each request, as a secret does: a replay cannot tell them apart
    return "ed25519" if credentials.can_log_on else "hmac"


def _made_up(kind: str) -> BinanceCredentials:
    """A key of this kind that no account has.

    Raises:
        ConfigError: There is no such kind.
    """
    if kind == "ed25519":
        return BinanceCredentials(api_key="stand-in", private_key=Ed25519PrivateKey.from_private_bytes(bytes(32)))
    if kind == "hmac":
        return BinanceCredentials(api_key="stand-in", secret=Secret("stand-in"))
    raise ConfigError("credentials.binance", "the kind ed25519 or hmac", repr(kind))


#: Keys for a replay. Which kind it was decides how a connection is authenticated, and so what is sent.
STAND_IN = StandInKeys(kind=_kind, make=_made_up)
