"""Signatures of Binance requests (sans I/O).

WebSocket API: every parameter but the signature, sorted by name, joined as ``k=v&k=v``, UTF-8, *not* percent-encoded
(binance-spot-api-docs, "WebSocket API: Request security"). REST: the query and body as sent, percent-encoded.
HMAC-SHA256 signatures are lower-case hex; Ed25519 ones base64.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bloor.errors import ConfigError
from bloor.venue.secret import Secret

__all__ = ["BinanceCredentials", "Value", "payload", "read_credentials"]

#: A parameter of a request.
Value = str | int


@frozen(kw_only=True)
class BinanceCredentials:
    """One API key: with an Ed25519 private key, which can authenticate a connection once, or an HMAC secret."""

    api_key: str
    secret: Secret | None = None
    private_key: Ed25519PrivateKey | None = field(default=None, repr=False)

    @property
    def can_log_on(self) -> bool:
        """Whether ``session.logon`` is possible: Ed25519 keys only."""
        return self.private_key is not None

    def sign(self, text: bytes) -> str:
        """The signature of ``text``."""
        if self.private_key is not None:
            return base64.b64encode(self.private_key.sign(text)).decode()
        assert self.secret is not None
        return hmac.new(self.secret.reveal().encode(), text, hashlib.sha256).hexdigest()

    def signed(self, params: Mapping[str, Value]) -> dict[str, Value]:
        """``params`` with ``apiKey`` and ``signature`` added, as a WebSocket API request carries them."""
        whole = {**params, "apiKey": self.api_key}
        return {**whole, "signature": self.sign(payload(whole))}


def payload(params: Mapping[str, Value]) -> bytes:
    """The text that the signature of a WebSocket API request covers."""
    return "&".join(f"{key}={params[key]}" for key in sorted(params)).encode()


def _text(section: Mapping[str, Any], key: str, where: str) -> str:
    value = section.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where}.{key}", "a non-empty text", "nothing" if value is None else type(value).__name__)
    return value


def read_credentials(keys: Mapping[str, Any]) -> BinanceCredentials:
    """Reads ``{"ed25519": {"api_key", "private_key_pem"}}`` or ``{"hmac": {"api_key", "secret"}}``.

    Where both are there, the Ed25519 key is taken: it can authenticate a connection once.

    Raises:
        ConfigError: Neither is there, or a part is missing or no such key. The message holds no key.
    """
    if isinstance(section := keys.get("ed25519"), Mapping):
        where = "credentials.binance.ed25519"
        pem = _text(section, "private_key_pem", where)
        try:
            key = load_pem_private_key(pem.encode(), None)
        except (ValueError, TypeError) as error:
            raise ConfigError(
                f"{where}.private_key_pem", "an unencrypted PKCS#8 key in PEM", "something else"
            ) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ConfigError(f"{where}.private_key_pem", "an Ed25519 key", type(key).__name__)
        return BinanceCredentials(api_key=_text(section, "api_key", where), private_key=key)
    if isinstance(section := keys.get("hmac"), Mapping):
        where = "credentials.binance.hmac"
        return BinanceCredentials(
            api_key=_text(section, "api_key", where), secret=Secret(_text(section, "secret", where))
        )
    raise ConfigError("credentials.binance", "a key 'ed25519' or 'hmac'", ", ".join(map(str, keys)) or "nothing")
