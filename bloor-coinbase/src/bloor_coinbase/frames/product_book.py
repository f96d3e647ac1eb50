"""The book of one product as REST says it: ``GET /api/v3/brokerage/market/product_book?product_id=BTC-USD``.

.. code-block:: json

    {"pricebook":{"product_id":"BTC-USD","bids":[{"price":"68900.00","size":"1.5"}],"asks":[{"price":"68901.00","size":"0.5"}],"time":"2026-04-07T14:30:00.123456Z"},"last":"68900.50","mid_market":"68900.5","spread_bps":"0.145","spread_absolute":"1"}

The Exchange's ``GET /products/{id}/book?level=2`` is read as well: ``{"bids":[[price, size, orders]],"asks":..}``. No
number connects either with a stream.

Sources: docs.cdp.coinbase.com, "Get Public Product Book" and "Get product book".
"""

from __future__ import annotations

from typing import Any

from bloor.errors import RemoteProtocolError
from bloor.market.messages import BookMessage
from bloor_coinbase.exchange.book import rest_side
from bloor_coinbase.frames.fields import levels, objects, product, time_ns

__all__ = ["product_book"]

KIND = "product book"


def product_book(answer: Any, venue_symbol: str) -> BookMessage:
    """Reads a whole book.

    Args:
        answer: The JSON document.
        venue_symbol: Whose book it is; empty when not known.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong; for an error answer, says Coinbase's text.
    """
    if type(answer) is not dict:
        raise RemoteProtocolError(f"{KIND}: expected an object, got {type(answer).__name__}")
    book = answer.get("pricebook")
    if type(book) is dict:
        symbol = product(KIND, book)
        return BookMessage(symbol, True, -1, -1, -1, _side(book, "bids"), _side(book, "asks"), _time(book), False)
    if "bids" not in answer and ("message" in answer or "error" in answer):
        raise RemoteProtocolError(f"{KIND}: Coinbase answered {answer.get('message') or answer.get('error')!r:.200}")
    bids, asks = rest_side(KIND, answer, "bids", 3), rest_side(KIND, answer, "asks", 3)
    return BookMessage(venue_symbol, True, -1, -1, -1, bids, asks, _time(answer), False)


def _side(book: dict[str, Any], name: str) -> list[tuple[str, str]]:
    rows = [(one.get("price"), one.get("size")) for one in objects(KIND, book, name)]
    return levels(KIND, name, rows)  # type: ignore[arg-type]


def _time(book: dict[str, Any]) -> int:
    return time_ns(KIND, book, "time")
