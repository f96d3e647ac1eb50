"""The whole book and its changes, channels ``level2`` and ``level2_batch`` of the Exchange feed.

.. code-block:: json

    {"type":"snapshot","product_id":"BTC-USD","bids":[["10101.10","0.45054140"]],"asks":[["10102.55","0.57753524"]]}

    {"type":"l2update","product_id":"BTC-USD","changes":[["buy","10101.80","0.162567"]],"time":"2019-08-14T20:42:27.966Z"}

Quantities are absolute; zero, in any number of digits, removes the level. Nothing is numbered.

Source: docs.cdp.coinbase.com, "Exchange WebSocket Channels", "Level2 Channel".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import BookMessage
from bloor_coinbase.frames.fields import levels, listed, product, time_ns, wrong

__all__ = ["l2update", "rest_side", "snapshot"]

SNAPSHOT, CHANGE = "snapshot", "l2update"


def snapshot(event: dict[str, Any]) -> BookMessage:
    """Reads a whole book.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    bids, asks = rest_side(SNAPSHOT, event, "bids", 2), rest_side(SNAPSHOT, event, "asks", 2)
    return BookMessage(product(SNAPSHOT, event), True, -1, -1, -1, bids, asks, time_ns(SNAPSHOT, event, "time"))


def l2update(event: dict[str, Any]) -> BookMessage:
    """Reads changes of a book.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    sides: dict[str, list[tuple[str, str]]] = {"buy": [], "sell": []}
    for n, change in enumerate(listed(CHANGE, event, "changes")):
        if type(change) is not list or len(change) != 3 or type(change[0]) is not str or change[0] not in sides:
            raise wrong(CHANGE, f"changes[{n}]", "['buy' or 'sell', price, quantity]", change)
        sides[change[0]].append((change[1], change[2]))
    bids, asks = levels(CHANGE, "changes: buy", sides["buy"]), levels(CHANGE, "changes: sell", sides["sell"])
    return BookMessage(product(CHANGE, event), False, -1, -1, -1, bids, asks, time_ns(CHANGE, event, "time"))


def rest_side(kind: str, event: dict[str, Any], name: str, members: int) -> list[tuple[str, str]]:
    """A list of ``[price, quantity]``, or of levels with more members.

    Raises:
        RemoteProtocolError: Names the level that is wrong.
    """
    rows = listed(kind, event, name)
    for n, row in enumerate(rows):
        if type(row) is not list or len(row) != members:
            raise wrong(kind, f"{name}[{n}]", f"a level of {members} members", row)
    return levels(kind, name, [(row[0], row[1]) for row in rows])
