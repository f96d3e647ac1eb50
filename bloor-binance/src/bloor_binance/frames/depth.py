"""Changes of a book, stream ``<symbol>@depth`` or ``<symbol>@depth@100ms``.

.. code-block:: json

    {"e":"depthUpdate","E":1672515782136,"s":"BNBBTC","U":157,"u":160,"b":[["0.0024","10"]],"a":[["0.0026","100"]]}

``U`` and ``u`` are the first and the last update in it; quantities are absolute, zero removes the level. Source:
web-socket-streams.md, "Diff. Depth Stream".
"""

from __future__ import annotations

from typing import Any

from bloor.market.messages import BookMessage
from bloor_binance.frames.fields import integer, levels, symbol, time_ns, wrong

__all__ = ["depth"]

KIND = "depthUpdate"


def depth(event: dict[str, Any]) -> BookMessage:
    """Reads changes of a book.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    first = integer(KIND, event, "U")
    last = integer(KIND, event, "u")
    if first > last:
        raise wrong(KIND, "U", f"a first update id of at most u = {last}", first)
    return BookMessage(
        symbol(KIND, event),
        False,
        first,
        last,
        -1,
        levels(KIND, event, "b"),
        levels(KIND, event, "a"),
        time_ns(KIND, event, "E"),
    )
