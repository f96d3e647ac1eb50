"""Kraken's names of assets and pairs, and bloor's.

WebSocket v2 says ``BTC/USD``; WebSocket v1 and ``wsname`` of REST say ``XBT/USD`` and ``XDG/USD``; balances say
``XXBT`` and ``ZUSD`` for assets from before 2018. REST's joined names (``XBTUSD``) cannot be split without the table of
``AssetPairs`` (``XBTUSDT`` or ``XBT``+``USDT``?) and are refused here.
"""

from __future__ import annotations

from bloor.errors import RemoteProtocolError
from bloor.model.symbols import canonical, split_symbol

__all__ = ["asset", "balance_asset", "from_venue", "to_venue"]

_RENAMED = {"XBT": "BTC", "XDG": "DOGE"}

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
