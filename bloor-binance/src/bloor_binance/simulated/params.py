"""The parameters of a request, read with Binance's own refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from bloor.errors import MoneyError
from bloor.model.decimals import parse_units
from bloor_binance.simulated.errors import ApiError, bad_parameter, illegal, missing, precision

__all__ = ["Params"]

_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?\Z", re.ASCII)
_INTEGER = re.compile(r"[0-9]{1,20}\Z", re.ASCII)
_CLIENT_ID = re.compile(r"[a-zA-Z0-9-_]{1,36}\Z", re.ASCII)
#: Binance counts at most this many decimals.
_DECIMALS = 8

E = TypeVar("E")


class Params(dict[str, str]):
    """Name -> text."""

    def text(self, name: str) -> str:
        """A mandatory text. Raises ApiError -1102."""
        value = self.get(name, "")
        if not value:
            raise missing(name)
        return value

    def integer(self, name: str, default: int | None = None) -> int | None:
        """An integer, or the default. Raises ApiError -1100."""
        value = self.get(name)
        if value is None:
            return default
        if not _INTEGER.match(value):
            raise illegal(name, "^[0-9]{1,20}$")
        return int(value)

    def units(self, name: str) -> int:
        """A mandatory decimal in units of 1e-8. Raises ApiError -1102, -1100, -1111."""
        value = self.text(name)
        if not _DECIMAL.match(value):
            raise illegal(name, "^([0-9]{1,20})(\\.[0-9]{1,20})?$")
        if len(value.partition(".")[2].rstrip("0")) > _DECIMALS:
            raise precision(name)
        try:
            return parse_units(value, _DECIMALS)
        except MoneyError:
            raise bad_parameter(name) from None

    def choice(self, name: str, known: Mapping[str, E], code: int, what: str) -> E:
        """A mandatory word. Raises ApiError -1102, or ``code`` for a word that is not known."""
        value = self.text(name)
        if value not in known:
            raise ApiError(code, f"Invalid {what}.")
        return known[value]

    def client_id(self, name: str) -> str | None:
        """An id of the client's, if there is one. Raises ApiError -1100."""
        value = self.get(name)
        if value is not None and not _CLIENT_ID.match(value):
            raise illegal(name, "^[a-zA-Z0-9-_]{1,36}$")
        return value
