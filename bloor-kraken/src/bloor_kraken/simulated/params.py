"""The parameters of a REST request, from a query, a form or JSON (docs.kraken.com, Spot REST, "Introduction")."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from bloor.errors import RemoteProtocolError
from bloor.simulation.venue import HttpRequest
from bloor_kraken.exact import parsed
from bloor_kraken.simulated.errors import ApiError, invalid

__all__ = ["Params", "body_params", "plain", "query_params"]


class Params(dict[str, Any]):
    """Name -> text; lists and objects of JSON stay what they are."""

    def text(self, name: str, default: str | None = None) -> str:
        """A text. Raises ApiError EGeneral:Invalid arguments when it is missing without a default, or no text."""
        value = self.get(name, default)
        if type(value) is not str or not (value or default is not None):
            raise invalid(name)
        return value

    def integer(self, name: str, default: int, most: int) -> int:
        """A whole number of at least 0, or the default; cut to ``most``. Raises ApiError."""
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and len(value) <= 20):
            raise invalid(name)
        return min(int(value), most)

    def flag(self, name: str) -> bool:
        """``true`` or not; ``1`` and ``True`` are as good."""
        return self.text(name, "").lower() in ("true", "1")

    def optional(self, name: str) -> str | None:
        """A text, or None when it is missing or empty."""
        return self.text(name, "") or None


def query_params(query: str) -> Params:
    """Of a public request."""
    return Params(parse_qsl(query, keep_blank_values=True))


def body_params(request: HttpRequest) -> Params:
    """Of a private request. Raises ApiError EGeneral:Invalid arguments."""
    if request.headers.get("content-type", "").startswith("application/json") or request.body[:1] == b"{":
        return _plain(request.body)
    try:
        return Params(parse_qsl(request.body.decode(), keep_blank_values=True))
    except ValueError:
        raise ApiError("EGeneral:Invalid arguments") from None


def _plain(body: bytes) -> Params:
    try:
        document = parsed(body)
    except RemoteProtocolError:
        raise ApiError("EGeneral:Invalid arguments") from None
    if type(document) is not dict:
        raise ApiError("EGeneral:Invalid arguments")
    return Params(plain(document))


def plain(document: dict[str, Any]) -> dict[str, Any]:
    """Scalars of JSON as text: numbers as they were written, True as ``true``; null is not sent."""
    made: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, bool):
            made[name] = "true" if value else "false"
        elif isinstance(value, str):
            made[name] = str(value)
        elif value is not None:
            made[name] = value
    return made
