"""The instruments of a run, by number and by name, and the files they are read from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from bloor.errors import BloorError, InputFileError, MoneyError, UsageError, nearest
from bloor.model.decimals import MAX_DECIMALS, decimals_of, parse_units
from bloor.model.instrument import Instrument, inferred_instrument
from bloor.model.symbols import canonical, split_symbol

if TYPE_CHECKING:
    from bloor.hookspecs import NormalizerSpec

__all__ = ["InstrumentTable", "instrument_of", "load_instruments"]


class InstrumentTable:
    """Every instrument of a run; the index of one is the ``instrument`` of its events.

    Indices are given in the order of :meth:`add` and never change; the instrument at an index may be refined.
    """

    def __init__(self, instruments: Iterable[Instrument] = ()) -> None:
        self._all: list[Instrument] = []
        self._by_venue_symbol: dict[tuple[str, str], int] = {}
        self._by_symbol: dict[tuple[str, str], int] = {}
        for instrument in instruments:
            self.add(instrument)

    def add(self, instrument: Instrument) -> int:
        """Adds an instrument, or replaces the one of the same venue and venue symbol; returns its index."""
        key = (instrument.venue, instrument.venue_symbol)
        index = self._by_venue_symbol.get(key)
        if index is None:
            index = len(self._all)
            self._all.append(instrument)
            self._by_venue_symbol[key] = index
        else:
            self._by_symbol.pop(self._all[index].key, None)
            self._all[index] = instrument
        self._by_symbol[instrument.key] = index
        return index

    def infer(self, venue: str, venue_symbol: str, base: str, quote: str) -> int:
        """Adds an instrument of which only the name is known; returns its index."""
        return self.add(inferred_instrument(venue, canonical(base, quote), venue_symbol, base, quote))

    def refine(self, index: int, prices: Iterable[str], quantities: Iterable[str]) -> Instrument:
        """Raises the decimals of an inferred instrument as far as these texts need.

        Returns:
            The instrument as it is now.

        Raises:
            MoneyError: A text is not a plain decimal number, or needs more than 18 decimals.
        """
        instrument = self._all[index]
        for price in prices:
            instrument = instrument.refined(price, "0")
        for qty in quantities:
            instrument = instrument.refined("0", qty)
        self._all[index] = instrument
        return instrument

    def index_of(self, venue: str, venue_symbol: str) -> int:
        """The index by the venue's own name; -1 when it is not here."""
        return self._by_venue_symbol.get((venue, venue_symbol), -1)

    def find(self, venue: str, symbol: str) -> Instrument | None:
        """The instrument of a canonical symbol, or None."""
        index = self._by_symbol.get((venue, symbol))
        return None if index is None else self._all[index]

    def get(self, venue: str, symbol: str) -> Instrument:
        """The instrument of a canonical symbol.

        Raises:
            UsageError: It is not here; the message has the nearest known symbol.
        """
        found = self.find(venue, symbol)
        if found is None:
            hint = nearest(symbol, [i.symbol for i in self._all if i.venue == venue])
            raise UsageError(f"{venue} does not list {symbol!r}{hint}")
        return found

    def __getitem__(self, index: int) -> Instrument:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self._all)


def load_instruments(path: Path, spec: NormalizerSpec) -> Sequence[Instrument]:
    """Reads an instrument file: bloor's own form, or the venue's.

    The own form is a JSON list of objects, numbers as decimal strings::

        [
            {
                "venue": "binance",
                "symbol": "BTC-USDT",
                "venue_symbol": "BTCUSDT",
                "tick_size": "0.01",
                "lot_size": "0.00001",
                "qty_decimals": 8,
                "min_qty": "0.00001",
                "max_qty": "9000",
                "min_notional": "5",
            }
        ]

    ``venue``, ``symbol``, ``venue_symbol``, ``tick_size`` and ``lot_size`` are required. ``qty_decimals`` (decimals of
    a book quantity) is that of the lot without it. ``max_notional`` and ``trading`` may be given as well.

    Args:
        path: The file.
        spec: Says what to do with the venue's own form, and which venue is wanted.

    Returns:
        The venue's instruments; at least one.

    Raises:
        InputFileError: The file cannot be read, an entry is wrong (its number and field are named), or none is for
            this venue.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputFileError(str(path), f"cannot be read: {error.strerror}") from None
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InputFileError(str(path), f"expected a JSON list of instruments, got no JSON: {error}") from None
    if not is_own_form(document):
        found = spec.instruments(path)
    else:
        found = [read_entry(path, n, entry) for n, entry in enumerate(document, 1)]
        found = [instrument for instrument in found if instrument.venue == spec.venue]
    if not found:
        raise InputFileError(str(path), f"expected instruments of {spec.venue}, got none")
    return found


def is_own_form(document: Any) -> bool:
    """Whether a JSON document is a list of objects in bloor's own form."""
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(entry, dict) and ("venue_symbol" in entry or "tick_size" in entry) for entry in document)
    )


def read_entry(path: Path, number: int, entry: dict[str, Any]) -> Instrument:
    """One object of an instrument file.

    Raises:
        InputFileError: Says which entry and what is wrong with it.
    """
    try:
        return instrument_of(entry)
    except (BloorError, ValueError, TypeError) as error:
        raise InputFileError(str(path), f"instrument {number}: {error}") from None


_TEXTS = ("venue", "symbol", "venue_symbol", "tick_size", "lot_size")
_OPTIONAL = ("min_qty", "max_qty", "min_notional", "max_notional")
_KNOWN = (*_TEXTS, *_OPTIONAL, "qty_decimals", "trading", "base", "quote")


def instrument_of(entry: dict[str, Any]) -> Instrument:
    """An instrument from the fields of bloor's own form; see :func:`load_instruments`.

    Raises:
        UsageError: A field is missing, unknown or of the wrong type.
        MoneyError: A number is not plain, not positive where it must be, or not exact in the units of the others.
    """
    for name in _TEXTS:
        if not isinstance(entry.get(name), str):
            raise UsageError(f"{name}: expected a text, got {entry.get(name)!r}")
    for name in entry:
        if name not in _KNOWN:
            raise UsageError(f"{name}: expected one of the fields {', '.join(_KNOWN)}{nearest(name, _KNOWN)}")
    base, quote = split_symbol(entry["symbol"])
    price_decimals = decimals_of(entry["tick_size"])
    lot_decimals = decimals_of(entry["lot_size"])
    qty_decimals = entry.get("qty_decimals", lot_decimals)
    if type(qty_decimals) is not int or not lot_decimals <= qty_decimals <= MAX_DECIMALS:
        raise UsageError(
            f"qty_decimals: expected an integer from the lot's {lot_decimals} to {MAX_DECIMALS}, got {qty_decimals!r}"
        )
    lot_units = positive("lot_size", parse_units(entry["lot_size"], qty_decimals))
    trading = entry.get("trading", True)
    if type(trading) is not bool:
        raise UsageError(f"trading: expected true or false, got {trading!r}")
    instrument = Instrument(
        venue=entry["venue"],
        symbol=canonical(base, quote),
        venue_symbol=entry["venue_symbol"],
        base=entry.get("base", base),
        quote=entry.get("quote", quote),
        price_decimals=price_decimals,
        tick_units=positive("tick_size", parse_units(entry["tick_size"], price_decimals)),
        qty_decimals=qty_decimals,
        lot_units=lot_units,
        min_lots=max(1, -(-parse_units(text_of(entry, "min_qty"), qty_decimals) // lot_units)),
        max_lots=parse_units(text_of(entry, "max_qty"), qty_decimals) // lot_units,
        min_notional=amount(entry, "min_notional"),
        max_notional=amount(entry, "max_notional"),
        trading=trading,
    )
    instrument.check()
    return instrument


def text_of(entry: dict[str, Any], name: str) -> str:
    """An optional decimal text, ``"0"`` when it is not there."""
    value = entry.get(name, "0")
    if not isinstance(value, str):
        raise UsageError(f"{name}: expected a decimal text such as '0.001', got {value!r}")
    return value


def amount(entry: dict[str, Any], name: str) -> Decimal:
    """An optional amount of the quote asset."""
    text = text_of(entry, name)
    decimals_of(text)  # refuses what Decimal would take: signs, exponents, NaN
    return Decimal(text)


def positive(name: str, units: int) -> int:
    """The same number, if it is positive."""
    if units <= 0:
        raise MoneyError(f"{name}: expected a positive number, got 0")
    return units
