"""Refusals in Coinbase's words.

A request that cannot be taken ends with an HTTP status and a document (docs.cdp.coinbase.com, "Advanced Trade REST API
Overview"); an order that is refused is an answer with status 200 and ``"success": false``.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

__all__ = [
    "ApiError",
    "OrderRefusedError",
    "forbidden",
    "invalid",
    "not_found",
    "too_many",
    "unauthorized",
    "unavailable",
]


class ApiError(Exception):
    """A request that is refused as a whole.

    Attributes:
        status: HTTP status.
        body: What is answered.
        headers: More headers of the answer.
    """

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


class OrderRefusedError(Exception):
    """A new order, or a change of one, that is refused.

    Attributes:
        error: What a refused new order says.
        message: In words.
        preview: What previews say, and refused orders besides.
    """

    def __init__(self, error: str, message: str, preview: str = "") -> None:
        super().__init__(error, message, preview)
        self.error = error
        self.message = message
        self.preview = preview or f"PREVIEW_{error}"


def _document(status: int, error: str, details: str) -> ApiError:
    return ApiError(status, orjson.dumps({"error": error, "error_details": details, "message": details}))


def invalid(details: str) -> ApiError:
    """A parameter that cannot be."""
    return _document(400, "INVALID_ARGUMENT", details)


def not_found(details: str) -> ApiError:
    """Something that is not there."""
    return _document(404, "NOT_FOUND", details)


def unauthorized() -> ApiError:
    """A token that is missing or wrong: plain text, and no word about what is wrong with it."""
    return ApiError(401, b"Unauthorized\n", {"Content-Type": "text/plain; charset=utf-8"})


def forbidden() -> ApiError:
    """A key that may not do this."""
    return _document(403, "PERMISSION_DENIED", "Missing required scopes")


def too_many() -> ApiError:
    """More requests than the limit."""
    errors = [{"id": "rate_limit_exceeded", "message": "Too many requests"}]
    return ApiError(429, orjson.dumps({"errors": errors}))


def unavailable() -> ApiError:
    """A gateway that got no answer from behind: whether the request was carried out is not known."""
    return ApiError(503, b"upstream connect error or disconnect/reset before headers", {"Content-Type": "text/plain"})
