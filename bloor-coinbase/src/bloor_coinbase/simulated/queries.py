"""What a query asks for, and pages of what was found.

A parameter may be given several times, and for lists of products, ids and statuses the singular is taken as well: both
are in use. A cursor is opaque to clients; here it is where the next page begins.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qs

from bloor_coinbase.simulated.errors import ApiError, invalid
from bloor_coinbase.simulated.words import parse_time

__all__ = ["Query"]

T = TypeVar("T")
_MAX_DIGITS = 18
#: How many there were on the first page, and where the next one begins.
_CURSOR = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})\Z", re.ASCII)


class Query:
    """The parameters of a request.

    Args:
        text: The raw query string.
    """

    def __init__(self, text: str) -> None:
        self._values = parse_qs(text, keep_blank_values=False, max_num_fields=None)

    def one(self, name: str, default: str = "") -> str:
        """A parameter, or what it is without one."""
        values = self._values.get(name)
        return values[-1] if values else default

    def many(self, *names: str) -> list[str]:
        """All values of a parameter, under whichever of its names, lists separated by commas among them."""
        return [part for name in names for value in self._values.get(name, []) for part in value.split(",") if part]

    def known(self, words: Collection[str], *names: str) -> list[str]:
        """All values of a parameter that takes certain words.

        Raises:
            ApiError: One is none of them (400).
        """
        values = self.many(*names)
        for value in values:
            if value not in words:
                raise self._wrong(names[0], f"one of {', '.join(words)}", value)
        return values

    def integer(self, name: str, default: int, most: int) -> int:
        """A whole number of at least 0, at most ``most``.

        Raises:
            ApiError: It is none (400).
        """
        text = self.one(name)
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
            raise self._wrong(name, "a whole number", text)
        return min(int(text), most)

    def time_ns(self, name: str) -> int | None:
        """An RFC 3339 time as ns since the epoch, or None.

        Raises:
            ApiError: It is none (400).
        """
        text = self.one(name)
        if not text:
            return None
        ns = parse_time(text)
        if ns is None:
            raise self._wrong(name, "an RFC 3339 time", text)
        return ns

    def page(self, found: Sequence[T], default: int, most: int) -> tuple[Sequence[T], dict[str, Any]]:
        """One page of what was found, and ``{"has_next", "cursor"}``.

        What was found anew since the first page is in front of it, and is passed over: pages neither repeat nor omit.

        Raises:
            ApiError: ``limit`` or ``cursor`` cannot be (400).
        """
        limit = self.integer("limit", default, most) or default
        text = self.one("cursor", f"{len(found)}.0")
        match = _CURSOR.match(text)
        if match is None:
            raise self._wrong("cursor", "one of an earlier page", text)
        total, first = int(match[1]), int(match[2])
        then = found[max(0, len(found) - total) :]
        more = first + limit < len(then)
        cursor = f"{total}.{first + limit}" if more else ""
        return then[first : first + limit], {"has_next": more, "cursor": cursor}

    def _wrong(self, name: str, expected: str, got: str) -> ApiError:
        return invalid(f"{name}: expected {expected}, got {got[:40]!r}")
