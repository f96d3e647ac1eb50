"""Frames of WebSocket v1: ``[channel id, payload, channel name, pair]``, numbers as text.

Version 1 gets no new features and bloor does not subscribe to it; the longest recordings there are were made of it.

.. code-block:: json

    [336,{"as":[["5541.30000","2.50700000","1534614248.123678"]],"bs":[["5541.20000","1.52900000","1534614248.765567"]]},"book-10","XBT/USD"]
    [336,{"b":[["27117.40000","0.00000000","1693415330.886651"],["27116.80000","0.14741986","1693415325.036931","r"]],"c":"3139033408"},"book-10","XBT/USD"]
    [336,{"a":[["5541.3","2.5","1534614248.456738"]]},{"b":[["5541.2","0.0","1534614335.345903"]],"c":"974947235"},"book-10","XBT/USD"]
    [337,[["5541.20000","0.15850568","1534614057.321597","s","l",""]],"trade","XBT/USD"]
    [338,{"a":["5525.40000",1,"1.000"],"b":["5525.10000",1,"1.000"],"c":["5525.10000","0.00398963"]},"ticker","XBT/USD"]
    [339,["5698.40000","5700.00000","1542057299.545897","1.01234567","0.98765432"],"spread","XBT/USD"]

A fourth member ``"r"`` of a level says that it was sent again because it came back into the window. A snapshot has no
checksum, a change has one (before 2020 not each). The time of a change is that of its newest level; trades have no id.
Source: docs.kraken.com, WebSocket v1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bloor.market.messages import BboMessage, BookMessage, Levels, Message, OtherMessage, TradeMessage
from bloor_kraken.frames.fields import amount, checked_levels, pair, positive, seconds_ns, side, whole, wrong

__all__ = ["book_depth", "version1"]

KIND = "book (version 1)"
MAX_CHECKSUM = (1 << 32) - 1


def version1(frame: Sequence[Any]) -> Sequence[Message]:
    """The messages of a frame that is a list.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    if len(frame) < 4 or type(frame[-2]) is not str:
        return (OtherMessage(frame[1] if len(frame) == 3 and type(frame[1]) is str else "list"),)
    channel, name, payloads = frame[-2], frame[-1], frame[1:-2]
    if channel.startswith("book"):
        return (_book(payloads, pair(KIND, name, "pair")),)
    if channel == "trade":
        return _trades(payloads[0], pair("trade (version 1)", name, "pair"))
    if channel == "ticker":
        return (_ticker(payloads[0], pair("ticker (version 1)", name, "pair")),)
    if channel == "spread":
        return (_spread(payloads[0], pair("spread (version 1)", name, "pair")),)
    return (OtherMessage(channel),)


def book_depth(frame: Sequence[Any]) -> int:
    """The number in ``book-10``; 10, Kraken's default, without one.

    Raises:
        RemoteProtocolError: There is something else.
    """
    channel = frame[-2]
    return whole(KIND, "channel name", channel.removeprefix("book-")) if channel != "book" else 10


# ---- books ----------------------------------------------------------------------------------------------------------


def _book(payloads: Sequence[Any], symbol: str) -> BookMessage:
    """A snapshot, or a change in one or two objects."""
    newest = 0
    found: dict[str, list[tuple[Any, Any]]] = {}
    checksum = -1
    for payload in payloads:
        if type(payload) is not dict or not payload:
            raise wrong(KIND, "payload", "an object with levels", payload)
        for name, value in payload.items():
            if name == "c":
                checksum = _checksum(value)
                continue
            if name not in ("as", "bs", "a", "b"):
                raise wrong(KIND, name, "one of a, b, as, bs and c", value)
            rows, at_ns = _rows(name, value)
            newest = max(newest, at_ns)
            found.setdefault(name, []).extend(rows)
    snapshot = "as" in found or "bs" in found
    if snapshot and ("a" in found or "b" in found):
        raise wrong(KIND, "payload", "a snapshot or a change", sorted(found))
    bids, asks = ("bs", "as") if snapshot else ("b", "a")
    return BookMessage(
        symbol, snapshot, -1, -1, -1, _levels(found, bids), _levels(found, asks), newest, True, checksum
    )  # fmt: skip


def _levels(found: dict[str, list[tuple[Any, Any]]], name: str) -> Levels:
    return checked_levels(KIND, name, found.get(name, []), str)


def _rows(name: str, value: Any) -> tuple[list[tuple[Any, Any]], int]:
    """Prices and quantities of a side, and its newest time."""
    if type(value) is not list:
        raise wrong(KIND, name, "a list of levels", value)
    newest = 0
    rows = []
    for n, level in enumerate(value):
        if type(level) is not list or not (len(level) == 3 or (len(level) == 4 and level[3] == "r")):
            raise wrong(KIND, f"{name}[{n}]", "[price, quantity, time] or [price, quantity, time, 'r']", level)
        newest = max(newest, seconds_ns(KIND, f"{name}[{n}]: time", level[2]))
        rows.append((level[0], level[1]))
    return rows, newest


def _checksum(value: Any) -> int:
    checksum = whole(KIND, "c", value)
    if checksum > MAX_CHECKSUM:
        raise wrong(KIND, "c", "an integer below 2**32", value)
    return checksum


# ---- trades and quotes ----------------------------------------------------------------------------------------------


def _trades(payload: Any, symbol: str) -> Sequence[TradeMessage]:
    kind = "trade (version 1)"
    if type(payload) is not list:
        raise wrong(kind, "payload", "a list of trades", payload)
    trades = []
    for n, each in enumerate(payload):
        if type(each) is not list or len(each) < 4:
            raise wrong(kind, f"trade {n}", "[price, volume, time, side, type, misc]", each)
        price, qty = (
            positive(kind, f"trade {n}: price", each[0], str),
            positive(kind, f"trade {n}: volume", each[1], str),
        )
        taker = side(kind, f"trade {n}: side", each[3], "b", "s")
        trades.append(TradeMessage(symbol, "", price, qty, taker, seconds_ns(kind, f"trade {n}: time", each[2])))
    return trades


def _ticker(payload: Any, symbol: str) -> BboMessage:
    kind = "ticker (version 1)"
    sides = [payload.get(name) if type(payload) is dict else None for name in ("b", "a")]
    texts: list[str] = []
    for name, best in zip("ba", sides, strict=True):
        if type(best) is not list or len(best) != 3:
            raise wrong(kind, name, "[price, whole lots, lots]", best)
        texts += [amount(kind, f"{name}: price", best[0], str), amount(kind, f"{name}: lots", best[2], str)]
    bid, bid_qty, ask, ask_qty = texts
    return BboMessage(symbol, -1, bid, bid_qty, ask, ask_qty)


def _spread(payload: Any, symbol: str) -> BboMessage:
    kind = "spread (version 1)"
    if type(payload) is not list or len(payload) != 5:
        raise wrong(kind, "payload", "[bid, ask, time, bid volume, ask volume]", payload)
    bid, ask, _, bid_qty, ask_qty = (
        value if n == 2 else amount(kind, f"payload[{n}]", value, str) for n, value in enumerate(payload)
    )
    return BboMessage(symbol, -1, bid, bid_qty, ask, ask_qty, seconds_ns(kind, "payload[2]", payload[2]))
