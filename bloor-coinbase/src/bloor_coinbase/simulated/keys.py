"""The keys of the simulated account, derived from the seed.

They guard pretended money on loopback, so that a script may print and reuse them. The first trades and is the one that
the ready document tells; :attr:`SimulatedKeys.ed25519` is of the newer kind, and :attr:`SimulatedKeys.viewer` may look
but not trade.
"""

from __future__ import annotations

from uuid import UUID

from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bloor.simulation.keys import seeded_bytes

__all__ = ["SimulatedKey", "SimulatedKeys", "seeded_uuid"]

#: Below the order of the curve whatever the bytes are: keys are drawn from 31 bytes.
_SCALAR_BYTES = 31


@frozen
class SimulatedKey:
    """One CDP key.

    Attributes:
        name: ``organizations/{org}/apiKeys/{id}``.
        private: Signs tokens.
        trades: Whether it may place orders.
    """

    name: str
    private: EllipticCurvePrivateKey | Ed25519PrivateKey = field(repr=False)
    trades: bool = True

    def document(self) -> dict[str, str]:
        """As a client takes it: PEM, SEC1 for the curve P-256 and PKCS#8 for Ed25519, as Coinbase hands them out."""
        form = (
            PrivateFormat.TraditionalOpenSSL
            if isinstance(self.private, EllipticCurvePrivateKey)
            else PrivateFormat.PKCS8
        )
        pem = self.private.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
        return {"key_name": self.name, "private_key_pem": pem}


class SimulatedKeys:
    """The keys of one account.

    Attributes:
        main: Curve P-256; trades.
        ed25519: Ed25519; trades.
        viewer: Curve P-256; may only look.
    """

    def __init__(self, seed: int) -> None:
        organization = seeded_uuid(seed, "organization")

        def name(what: str) -> str:
            return f"organizations/{organization}/apiKeys/{seeded_uuid(seed, what)}"

        self.main = SimulatedKey(name("key"), _curve(seed, "private key"))
        self.ed25519 = SimulatedKey(
            name("ed25519 key"), Ed25519PrivateKey.from_private_bytes(_bytes(seed, "ed25519 private key"))
        )
        self.viewer = SimulatedKey(name("viewer key"), _curve(seed, "viewer private key"), trades=False)

    def all(self) -> tuple[SimulatedKey, ...]:
        """Every key."""
        return (self.main, self.ed25519, self.viewer)


def seeded_uuid(seed: int, what: str) -> str:
    """An id that is the same for the same seed and purpose."""
    return str(UUID(bytes=_bytes(seed, what)[:16], version=4))


def _bytes(seed: int, what: str) -> bytes:
    return seeded_bytes("coinbase", seed, what)


def _curve(seed: int, what: str) -> EllipticCurvePrivateKey:
    return derive_private_key(int.from_bytes(_bytes(seed, what)[:_SCALAR_BYTES], "big"), SECP256R1())
