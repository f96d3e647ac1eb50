"""The names that Kraken has for one pair and one asset.

``BTC/USD`` is WebSocket v2's; REST knows it as ``XXBTZUSD`` (the key of results), ``XBTUSD`` (``altname``) and
``XBT/USD`` (``wsname``), and takes any of them. Assets from before 2018 have a class letter in balances, X for crypto
and Z for money of states; a pair's key has them when both of its assets do.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from bloor.model.instrument import Instrument
from bloor.simulation.exchange import Market
from bloor_kraken.symbols import classed_asset, old_asset

__all__ = ["Names", "PairNames", "pair_names"]


#: Keys that Kraken forms otherwise.
_EXCEPTIONS = {"XDGUSD": "XDGUSD", "XDGEUR": "XDGEUR", "USDTUSD": "USDTZUSD"}


@frozen
class PairNames:
    """One pair.

    Attributes:
        symbol: ``BTC/USD``.
        key: ``XXBTZUSD``.
        altname: ``XBTUSD``.
        wsname: ``XBT/USD``.
        base: ``XXBT``.
        quote: ``ZUSD``.
    """

    symbol: str
    key: str
    altname: str
    wsname: str
    base: str
    quote: str


def pair_names(instrument: Instrument) -> PairNames:
    """All names of an instrument."""
    base, quote = old_asset(instrument.base), old_asset(instrument.quote)
    classed = classed_asset(instrument.base), classed_asset(instrument.quote)
    altname = base + quote
    both = all(len(name) == 4 and name[0] in "XZ" for name in classed)
    key = "".join(classed) if both else altname
    return PairNames(
        symbol=instrument.venue_symbol,
        key=_EXCEPTIONS.get(altname, key),
        altname=altname,
        wsname=f"{base}/{quote}",
        base=classed[0],
        quote=classed[1],
    )


class Names:
    """Finds markets by any name.

    Args:
        markets: What is listed.
    """

    def __init__(self, markets: Iterable[Market]) -> None:
        self._of: dict[str, PairNames] = {}
        self._markets: dict[str, Market] = {}
        for market in markets:
            names = self._of[market.instrument.venue_symbol] = pair_names(market.instrument)
            for name in (names.symbol, names.key, names.altname, names.wsname, names.symbol.replace("/", "")):
                self._markets.setdefault(name, market)

    def of(self, market: Market) -> PairNames:
        """All names of a market."""
        return self._of[market.instrument.venue_symbol]

    def find(self, name: str) -> Market | None:
        """The market that REST calls so, in either case."""
        return self._markets.get(name) or self._markets.get(name.upper())

    def symbol(self, name: str) -> Market | None:
        """The market that WebSocket v2 calls so."""
        market = self._markets.get(name)
        return market if market is not None and market.instrument.venue_symbol == name else None
