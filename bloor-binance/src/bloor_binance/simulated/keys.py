"""The keys of the simulated account, derived from the seed.

They guard pretended money on loopback, so that a script may print and reuse them.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bloor.simulation.keys import seeded_bytes, seeded_text

__all__ = ["SimulatedKeys"]

_VENUE = "binance"

#: The primes of the RSA key, which is the same for every seed since finding primes takes long.
_P = int(
    "f00b0e84c0305a9c69188bf4377a84b87880753170ad5cfd18dac3136c34aae0"
    "e0344baafb89d835b490214f09ce3b3edb0c860d42d40cb9de76efead8c31bd8"
    "2b819b797621519b107c1f9d79706225d99ef7165c472b31017f97a262299310"
    "ba47a9b8848e5523da45cdb6d43a4e424b6cb015b00ffca2f4d1c342bf070eaf",
    16,
)
_Q = int(
    "e9c0e9ee8e3d55e042061f7857cde8e28425a8637eed71e0a8ab38f9fbb92508"
    "649c65fe0b150e11fe79439f12de60417513a3d6b4575b282507d0ee2ae2b406"
    "2a3645660cd9ccde7fd7b91046aa2306458fd89058b7dc8d7f363b6e0b1c0ae9"
    "0a4dc43453839312ce49b4a6931efd686e1df4969ac799979f0cf3a53c3a7c71",
    16,
)
_E = 65_537


class SimulatedKeys:
    """Three API keys of one account.

    Attributes:
        hmac_key: API key of the HMAC secret.
        hmac_secret: The secret.
        ed25519_key: API key of the Ed25519 private key.
        private_key: The private key.
        rsa_key: API key of the RSA private key.
        rsa_private_key: The RSA private key, 2048 bits.
    """

    def __init__(self, seed: int) -> None:
        self.hmac_key = seeded_text(_VENUE, seed, "hmac api key")
        self.hmac_secret = seeded_text(_VENUE, seed, "hmac secret")
        self.ed25519_key = seeded_text(_VENUE, seed, "ed25519 api key")
        self.private_key = Ed25519PrivateKey.from_private_bytes(seeded_bytes(_VENUE, seed, "ed25519 private key"))
        self.rsa_key = seeded_text(_VENUE, seed, "rsa api key")
        self.rsa_private_key = _rsa_key()

    def document(self) -> dict[str, Any]:
        """The keys as a client takes them."""
        return {
            "hmac": {"api_key": self.hmac_key, "secret": self.hmac_secret},
            "ed25519": {"api_key": self.ed25519_key, "private_key_pem": _pem(self.private_key)},
            "rsa": {"api_key": self.rsa_key, "private_key_pem": _pem(self.rsa_private_key)},
        }


def _pem(key: Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _rsa_key() -> rsa.RSAPrivateKey:
    d = pow(_E, -1, (_P - 1) * (_Q - 1))
    return rsa.RSAPrivateNumbers(
        p=_P,
        q=_Q,
        d=d,
        dmp1=d % (_P - 1),
        dmq1=d % (_Q - 1),
        iqmp=pow(_Q, -1, _P),
        public_numbers=rsa.RSAPublicNumbers(_E, _P * _Q),
    ).private_key(unsafe_skip_rsa_key_validation=True)
