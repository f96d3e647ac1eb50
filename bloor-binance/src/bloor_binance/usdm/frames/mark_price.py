"""Mark price and funding, stream ``<symbol>@markPrice`` or ``<symbol>@markPrice@1s``.

.. code-block:: json

    {"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT","p":"11794.15000000","i":"11784.62659091","P":"11784.25641265","r":"0.00038167","T":1562306400000}

``p`` is the mark price, ``i`` the index, ``r`` the funding rate, ``T`` the next funding; a delivery contract has an
empty ``r`` and ``T`` 0. One that lacks any of these is another message, not an error.

Source: USD-M documentation, "Mark Price Stream".
"""

from __future__ import annotations

import re
from typing import Any

from bloor.market.messages import MarkPriceMessage, OtherMessage
from bloor_binance.frames.fields import quantity, symbol, time_ns, wrong

__all__ = ["mark_price"]

KIND = "markPriceUpdate"
_RATE = re.compile(r"(?:-?+[0-9]++(?:\.[0-9]++)?+)?+", re.ASCII)


#: What is read.
KEYS = {"s", "E", "p", "i", "r", "T"}


def mark_price(event: dict[str, Any]) -> MarkPriceMessage | OtherMessage:
    """Reads mark price and funding; a message that is not complete is another.

    Raises:
        RemoteProtocolError: Names the field that is wrong.
    """
    if not event.keys() >= KEYS:
        return OtherMessage(KIND)
    rate = event["r"]
    if type(rate) is not str or not _RATE.fullmatch(rate):
        raise wrong(KIND, "r", "a plain number as text, or empty text", rate)
    return MarkPriceMessage(
        symbol(KIND, event),
        time_ns(KIND, event, "E"),
        quantity(KIND, event, "p"),
        quantity(KIND, event, "i"),
        rate,
        time_ns(KIND, event, "T"),
    )
