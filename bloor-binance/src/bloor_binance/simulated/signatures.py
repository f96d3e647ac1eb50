"""Who signed a request: API keys, signatures and the age of a request (rest-api.md, "SIGNED Endpoint Examples").

The text that is signed is, over REST, query and body as sent (percent-encoded) without the signature; over the
WebSocket API, every parameter but the signature, sorted by name and joined as ``k=v&k=v``, not encoded.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from attrs import frozen
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from bloor_binance.simulated.errors import ApiError, illegal, missing
from bloor_binance.simulated.keys import SimulatedKeys

__all__ = ["ApiKey", "KeyRing", "check_time", "ws_payload"]

_KEY = re.compile(r"[A-Za-z0-9]{64}\Z", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,20}\Z", re.ASCII)
#: The longest and the default age of a request, in ms.
_MAX_WINDOW, _DEFAULT_WINDOW = 60_000, 5_000
_AHEAD_NS = 1_000_000_000
_MS = 1_000_000


@frozen
class ApiKey:
    """A key that the exchange knows.

    Attributes:
        name: The API key.
        account: Number of its account.
        secret: HMAC secret, or None for a key pair.
        public: Public key of an Ed25519 or RSA pair, or None for an HMAC key.
    """

    name: str
    account: int
    secret: bytes | None = None
    public: Ed25519PublicKey | RSAPublicKey | None = None

    @property
    def can_log_on(self) -> bool:
        """Whether it may authenticate a session: Ed25519 only."""
        return isinstance(self.public, Ed25519PublicKey)

    def verify(self, payload: bytes, signature: str) -> None:
        """Raises ApiError -1022 unless ``signature`` is this key's of ``payload``."""
        if not (self._hmac(payload, signature) if self.secret is not None else self._public(payload, signature)):
            raise ApiError(-1022, "Signature for this request is not valid.")

    def _hmac(self, payload: bytes, signature: str) -> bool:
        expected = hmac.new(self.secret or b"", payload, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.lower().encode())

    def _public(self, payload: bytes, signature: str) -> bool:
        assert self.public is not None
        try:
            raw = base64.b64decode(signature, validate=True)
            if isinstance(self.public, RSAPublicKey):
                self.public.verify(raw, payload, PKCS1v15(), SHA256())
            else:
                self.public.verify(raw, payload)
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


class KeyRing:
    """The keys that the exchange knows."""

    def __init__(self, keys: SimulatedKeys, account: int) -> None:
        self._keys = {
            keys.hmac_key: ApiKey(keys.hmac_key, account, secret=keys.hmac_secret.encode()),
            keys.ed25519_key: ApiKey(keys.ed25519_key, account, public=keys.private_key.public_key()),
            keys.rsa_key: ApiKey(keys.rsa_key, account, public=keys.rsa_private_key.public_key()),
        }

    def find(self, name: str) -> ApiKey:
        """The key of this name.

        Raises:
            ApiError: -2014 when it cannot be a key, -2015 when it is not known.
        """
        if not _KEY.match(name):
            raise ApiError(-2014, "API-key format invalid.", 401)
        key = self._keys.get(name)
        if key is None:
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return key


def ws_payload(params: Mapping[str, str]) -> bytes:
    """What a WebSocket API signature covers."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature").encode()


def check_time(params: Mapping[str, str], now_ns: int) -> None:
    """Refuses a request that is too old or from the future (rest-api.md, "Timing security").

    Raises:
        ApiError: -1102 and -1100 for a timestamp that is none, -1131 for a window that is too wide, -1021 for the age.
    """
    text = params.get("timestamp", "")
    if not text:
        raise missing("timestamp")
    if not _TIMESTAMP.match(text):
        raise illegal("timestamp", "^[0-9]{1,20}$")
    # microseconds are told from milliseconds by their size, as the exchange does
    sent_ns = int(text) * (1_000 if len(text) >= 16 else _MS)
    if sent_ns >= now_ns + _AHEAD_NS:
        raise ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now_ns - sent_ns > _window_ns(params.get("recvWindow")):
        raise ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def _window_ns(text: str | None) -> int:
    if text is None:
        return _DEFAULT_WINDOW * _MS
    try:
        window = Decimal(text) if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text, re.ASCII) else None
    except InvalidOperation:
        window = None
    if window is None:
        raise illegal("recvWindow", "^[0-9]{1,6}(\\.[0-9]{1,3})?$")
    if window > _MAX_WINDOW:
        raise ApiError(-1131, f"recvWindow must be less than {_MAX_WINDOW}")
    return int(window * _MS)
