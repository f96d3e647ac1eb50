"""Changes of a book, stream ``<symbol>@depth``, ``@depth@500ms``, ``@depth@100ms`` or ``@depth@0ms``.

.. code-block:: json

    {"e":"depthUpdate","E":123456789,"T":123456788,"s":"BTCUSDT","U":157,"u":160,"pu":149,"b":[["0.0024","10"]],"a":[["0.0026","100"]]}

As on spot, with ``T``, the time of the matching engine, and ``pu``, the last update of the event before: update ids are
those of the whole venue, so ``U`` does not follow the ``u`` before it. The best levels (``<symbol>@depth20``) have the
very same fields and are told by the name of their stream. Source: USD-M documentation, "Diff. Book Depth Streams" and
"Partial Book Depth Streams".
"""

from __future__ import annotations

import re
from typing import Any

from bloor.market.messages import BookMessage
from bloor_binance.frames.depth import KIND
from bloor_binance.frames.depth import depth as spot_depth
from bloor_binance.frames.fields import integer

__all__ = ["depth", "is_partial"]

_PARTIAL = re.compile(r"@depth(?:5|10|20)(?:@|\Z)", re.ASCII)


def is_partial(stream: str) -> bool:
    """Whether a stream shows the best levels instead of changes."""
    return _PARTIAL.search(stream) is not None


def depth(event: dict[str, Any], stream: str = "") -> BookMessage:
    """Reads changes of a book, or its best levels.

    Args:
        event: The JSON object.
        stream: Name of its stream; empty without an envelope, and then it is taken for changes.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    message = spot_depth(event)
    if is_partial(stream):
        return message._replace(snapshot=True, first_seq=message.last_seq)
    return message._replace(prev_seq=integer(KIND, event, "pu"))
