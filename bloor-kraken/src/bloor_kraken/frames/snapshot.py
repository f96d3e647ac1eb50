"""A book by REST, ``GET /0/public/Depth?pair=XBTUSD``.

.. code-block:: json

    {"error":[],"result":{"XXBTZUSD":{"asks":[["105944.30000","0.136",1762820248]],"bids":[["105944.20000","0.136",1762820248]]}}}

Nothing says where in the stream it belongs, and quantities are rounded to three decimals. Source: docs.kraken.com, Spot
REST, "Get Order Book".
"""

from __future__ import annotations

from typing import Any

from bloor.errors import RemoteProtocolError
from bloor.market.messages import BookMessage, Levels
from bloor_kraken.frames.fields import checked_levels, wrong

__all__ = ["depth_answer", "result"]

KIND = "depth answer"


def result(kind: str, document: Any) -> dict[str, Any]:
    """``result`` of a REST answer.

    Raises:
        RemoteProtocolError: It is none; for an error answer, says Kraken's text.
    """
    if type(document) is not dict or type(document.get("error")) is not list:
        raise RemoteProtocolError(f"{kind}: expected an object with error and result, got {document!r:.60}")
    errors = [error for error in document["error"] if not str(error).startswith("W")]
    if errors:
        raise RemoteProtocolError(f"{kind}: Kraken answered {'; '.join(map(str, errors))!r:.200}")
    found = document.get("result")
    if type(found) is not dict:
        raise wrong(kind, "result", "an object", found)
    return found


def depth_answer(document: Any, venue_symbol: str) -> BookMessage:
    """Reads a depth answer, under the name that was asked for, or else the one that it has.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    found = result(KIND, document)
    if len(found) != 1:
        raise wrong(KIND, "result", "one pair", sorted(found))
    name, sides = next(iter(found.items()))
    if type(sides) is not dict:
        raise wrong(KIND, name, "an object with asks and bids", sides)
    bids, asks = (_levels(sides, side) for side in ("bids", "asks"))
    return BookMessage(venue_symbol or name, True, -1, -1, -1, bids, asks, 0, False)


def _levels(sides: dict[str, Any], name: str) -> Levels:
    levels = sides.get(name)
    if type(levels) is not list or any(type(level) is not list or len(level) < 2 for level in levels):
        raise wrong(KIND, name, "a list of [price, quantity, time]", levels)
    return checked_levels(KIND, name, [(level[0], level[1]) for level in levels], str)
