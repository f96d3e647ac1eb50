"""A public trade, stream ``<symbol>@trade``.

.. code-block:: json

    {"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":5266583935,"p":"61800.30","q":"0.006","X":"MARKET","m":false}

``X`` says how it came about. Only ``MARKET`` was made in the book; the insurance fund and automatic deleveraging print
trades too, at prices and quantities (zero among them) that no book ever showed, so they are other messages. A payload
without ``X`` is a trade of the book: that is how the stream began. The documentation describes ``aggTrade`` only; these
fields were seen in the venue's stream of 2024-08.
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import OtherMessage, TradeMessage
from bloor_binance.frames.fields import wrong
from bloor_binance.frames.trade import KIND
from bloor_binance.frames.trade import trade as spot_trade

__all__ = ["trade"]


def trade(event: dict[str, Any]) -> TradeMessage | OtherMessage:
    """Reads a trade; one that was not made in the book is none.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    origin = event.get("X", "MARKET")
    if type(origin) is not str:
        raise wrong(KIND, "X", "how the trade came about, such as MARKET", origin)
    return spot_trade(event) if origin == "MARKET" else OtherMessage(f"trade of {origin:.20}")
