"""Kraken's names of assets and pairs, and bloor's.

WebSocket v2 says ``BTC/USD``; WebSocket v1 and ``wsname`` of REST say ``XBT/USD`` and ``XDG/USD``; balances say
``XXBT`` and ``ZUSD`` for assets from before 2018. REST's joined names (``XBTUSD``) cannot be split without the table of
``AssetPairs`` (``XBTUSDT`` or ``XBT``+``USDT``?) and are refused here, except where a recording has no table.
"""

from __future__ import annotations

from bloor.errors import RemoteProtocolError
from bloor.model.instrument import Instrument
from bloor.model.symbols import canonical, split_symbol

__all__ = ["asset", "balance_asset", "classed_asset", "from_venue", "old_asset", "split", "to_venue"]

_RENAMED = {"XBT": "BTC", "XDG": "DOGE"}
_OLD_NAMES = {new: old for old, new in _RENAMED.items()}

#: Assets whose balance key carries a class letter: X for crypto, Z for money of states.
_CLASSED = {
    **{f"X{name}": name for name in ("ETC", "ETH", "LTC", "MLN", "REP", "XBT", "XDG", "XLM", "XMR", "XRP", "ZEC")},
    **{f"Z{name}": name for name in ("AUD", "CAD", "EUR", "GBP", "JPY", "USD")},
}


def asset(name: str) -> str:
    """Bloor's name of an asset in a pair: ``BTC`` for ``XBT``, ``DOGE`` for ``XDG``."""
    return _RENAMED.get(name, name)


def balance_asset(key: str) -> tuple[str, str]:
    """``(asset, wallet)`` of a balance key: ``("BTC", "")`` for ``XXBT``, ``("ETH", "F")`` for ``ETH.F``.

    The wallet is what stands after the dot (staking and earn wallets), empty for what can be traded.
    """
    name, _, wallet = key.partition(".")
    return asset(_CLASSED.get(name, name)), wallet


def old_asset(name: str) -> str:
    """REST's name of an asset in a pair: ``XBT`` for ``BTC``, ``XDG`` for ``DOGE``."""
    return next((old for old, new in _RENAMED.items() if new == name), name)


def classed_asset(name: str) -> str:
    """The balance key of an asset: ``XXBT`` for ``BTC``, ``ZUSD`` for ``USD``, ``SOL`` for ``SOL``."""
    old = old_asset(name)
    return next((key for key, plain in _CLASSED.items() if plain == old), old)


def to_venue(symbol: str) -> str:
    """The WebSocket v2 name of a canonical symbol: ``BTC/USD`` for ``BTC-USD``.

    Raises:
        UsageError: The text is not a canonical symbol.
    """
    return "/".join(split_symbol(symbol))


def from_venue(name: str) -> str:
    """The canonical symbol of a WebSocket name, v2 or v1: ``BTC-USD`` for ``BTC/USD`` and for ``XBT/USD``.

    Raises:
        RemoteProtocolError: The name has no slash between two assets.
    """
    base, slash, quote = name.partition("/")
    if not (base and slash and quote) or "/" in quote:
        raise RemoteProtocolError(f"kraken: expected a symbol BASE/QUOTE such as BTC/USD, got {name!r}")
    return canonical(asset(base), asset(quote))


def rest_pair(instrument: Instrument) -> str:
    """What REST calls a pair in requests, its ``altname``: ``XBTUSD`` for BTC/USD."""
    return "".join(_OLD_NAMES.get(name, name) for name in (instrument.base, instrument.quote))


def rest_names(instrument: Instrument) -> frozenset[str]:
    """Everything that REST may call a pair in answers: ``XBTUSD``, ``XXBTZUSD``, ``XBT/USD``, ``BTC/USD``."""
    base, quote = (_names(name) for name in (instrument.base, instrument.quote))
    return frozenset(f"{b}{slash}{q}" for b in base for q in quote for slash in ("", "/"))


def _names(name: str) -> list[str]:
    old = _OLD_NAMES.get(name, name)
    return [name, old, *(key for key, value in _CLASSED.items() if value == old)]


#: Quote assets of joined names, longest first.
_QUOTES = ("PYUSD", "USDT", "USDC", "USDG", "DAI", "AUD", "CAD", "CHF", "ETH", "EUR", "GBP", "JPY", "USD", "XBT")


def split(name: str) -> tuple[str, str]:
    """Base and quote of a name, ``("BTC", "USD")`` for ``BTC/USD`` and ``XBT/USD``.

    REST's joined names are cut at the class letter of the quote asset or before a known one; a name without either is
    cut before its last three letters: the pair is then a guess, and what is inferred from it never carries orders.
    """
    base, slash, quote = name.partition("/")
    if not slash:
        classed = len(name) == 8 and name[0] in "XZ" and name[4:] in _CLASSED
        known = next((q for q in _QUOTES if name.endswith(q) and len(name) > len(q)), "")
        cut = 4 if classed else len(name) - len(known) if known else max(1, len(name) - 3)
        base, quote = (_CLASSED.get(part, part) for part in (name[:cut], name[cut:] or name))
    return asset(base), asset(quote)
