"""Tokens of authenticated connections, and how they stay out of what is recorded (sans I/O).

A token comes over REST (``GetWebSocketsToken``). It must be used within 15 minutes, and stays valid while a private
subscription lives that was opened with it. Source: docs.kraken.com, "WebSockets authentication".
"""

from __future__ import annotations

from bloor_kraken.private_rest import private_answer

__all__ = ["HIDDEN", "without", "without_token"]

#: What stands for a token in what is recorded.
HIDDEN = "***"


def without_token(tag: str, status: int, body: bytes) -> tuple[str, bytes]:
    """The token in the answer of ``GetWebSocketsToken``, and the answer as it may be recorded.

    Returns:
        An empty token where there is none; then no part of an answer that may hold one is given.
    """
    try:
        result = private_answer(tag, status, body).result
    except Exception:  # noqa: BLE001 (it may hold a secret, whatever is wrong with it)
        return "", b""
    token = result.get("token") if isinstance(result, dict) else None
    if not isinstance(token, str) or not token:
        return "", body if b'"token"' not in body else b""
    return token, body.replace(token.encode(), HIDDEN.encode())


def without(frame: bytes, *secrets: str) -> bytes:
    """A frame without these."""
    for secret in secrets:
        if secret and secret != HIDDEN:
            frame = frame.replace(secret.encode(), HIDDEN.encode())
    return frame
