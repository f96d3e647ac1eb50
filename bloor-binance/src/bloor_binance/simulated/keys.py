"""The keys of the simulated account, derived from the seed.

They guard pretended money on loopback, so that a script may print and reuse them.
"""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

__all__ = ["SimulatedKeys"]

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class SimulatedKeys:
    """Two API keys of one account.

    Attributes:
        hmac_key: API key of the HMAC secret.
        hmac_secret: The secret.
        ed25519_key: API key of the Ed25519 private key.
        private_key: The private key.
    """

    def __init__(self, seed: int) -> None:
        self.hmac_key = _text(seed, "hmac api key")
        self.hmac_secret = _text(seed, "hmac secret")
        self.ed25519_key = _text(seed, "ed25519 api key")
        self.private_key = Ed25519PrivateKey.from_private_bytes(_digest(seed, "ed25519 private key"))

    def document(self) -> dict[str, Any]:
        """The keys as a client takes them."""
        pem = self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return {
            "hmac": {"api_key": self.hmac_key, "secret": self.hmac_secret},
            "ed25519": {"api_key": self.ed25519_key, "private_key_pem": pem},
        }


def _digest(seed: int, what: str) -> bytes:
    return hashlib.sha256(f"bloor simulated binance {seed} {what}".encode()).digest()


def _text(seed: int, what: str) -> str:
    """64 letters and digits, the form of Binance's keys."""
    raw = _digest(seed, what) + _digest(seed, what + " continued")
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in raw)
