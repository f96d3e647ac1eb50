"""What a simulated account's keys are made of: bytes and text derived from the seed.

They guard pretended money on loopback, so that a script may print and reuse them.
"""

from __future__ import annotations

import hashlib

__all__ = ["seeded_bytes", "seeded_text"]

#: Letters and digits.
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def seeded_bytes(venue: str, seed: int, what: str, count: int = 32) -> bytes:
    """``count`` bytes that are the same for the same venue, seed and purpose, and different otherwise."""
    made, name = b"", what
    while len(made) < count:
        made += hashlib.sha256(f"bloor simulated {venue} {seed} {name}".encode()).digest()
        name += " continued"
    return made[:count]


def seeded_text(venue: str, seed: int, what: str, count: int = 64, alphabet: str = ALPHABET) -> str:
    """``count`` characters of ``alphabet``, likewise."""
    return "".join(alphabet[byte % len(alphabet)] for byte in seeded_bytes(venue, seed, what, count))
