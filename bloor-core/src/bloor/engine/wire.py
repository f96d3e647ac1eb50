"""REST answers as journal payloads."""

from __future__ import annotations

import struct

__all__ = ["pack_response", "unpack_response"]

_HEAD = struct.Struct("<HH")


def pack_response(tag: str, status: int, body: bytes) -> bytes:
    """``u16 status | u16 length of the tag | tag | body``."""
    name = tag.encode()
    return _HEAD.pack(status, len(name)) + name + body


def unpack_response(payload: bytes) -> tuple[str, int, bytes]:
    """``(tag, status, body)``.

    Raises:
        ValueError: The payload is too short.
    """
    if len(payload) < _HEAD.size:
        raise ValueError(f"a response record has at least {_HEAD.size} bytes, got {len(payload)}")
    status, length = _HEAD.unpack_from(payload)
    end = _HEAD.size + length
    if len(payload) < end:
        raise ValueError(f"a response record with a tag of {length} bytes ends after {len(payload)}")
    return payload[_HEAD.size : end].decode(), status, payload[end:]
