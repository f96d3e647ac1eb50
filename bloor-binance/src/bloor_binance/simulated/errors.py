"""The refusals of Binance's APIs (binance-spot-api-docs, errors.md)."""

from __future__ import annotations

from typing import Any

from bloor.errors import BloorError

__all__ = [
    "ApiError",
    "amend_rejected",
    "bad_parameter",
    "cancel_rejected",
    "filter_failure",
    "illegal",
    "missing",
    "order_rejected",
    "precision",
    "unknown_outcome",
]


class ApiError(BloorError):
    """What a request is refused with: an HTTP status, a code and a text.

    Attributes:
        code: Binance's error code, negative.
        msg: Its text.
        status: HTTP status, also the ``status`` of a WebSocket API answer.
        retry_after_s: For 429: when to come back.
        data: What else the answer tells.
    """

    def __init__(self, code: int, msg: str, status: int = 400, retry_after_s: int = 0, data: Any = None) -> None:
        super().__init__(code, msg)
        self.code = code
        self.msg = msg
        self.status = status
        self.retry_after_s = retry_after_s
        self.data = data

    def document(self) -> dict[str, Any]:
        """The refusal as answers carry it."""
        document = {"code": self.code, "msg": self.msg}
        return document if self.data is None else {**document, "data": self.data}

    def __str__(self) -> str:
        return f"{self.code} {self.msg}"


def missing(name: str) -> ApiError:
    """-1102."""
    return ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def illegal(name: str, legal: str) -> ApiError:
    """-1100."""
    return ApiError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def bad_parameter(name: str) -> ApiError:
    """-1130."""
    return ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")


def precision(name: str) -> ApiError:
    """-1111."""
    return ApiError(-1111, f"Parameter '{name}' has too much precision.")


def filter_failure(name: str) -> ApiError:
    """-1013."""
    return ApiError(-1013, f"Filter failure: {name}")


def order_rejected(msg: str) -> ApiError:
    """-2010."""
    return ApiError(-2010, msg)


def cancel_rejected(msg: str = "Unknown order sent.") -> ApiError:
    """-2011."""
    return ApiError(-2011, msg)


def amend_rejected(msg: str) -> ApiError:
    """-2038."""
    return ApiError(-2038, msg)


def unknown_outcome() -> ApiError:
    """-1007: whatever was asked for may have happened."""
    return ApiError(
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
        503,
    )
