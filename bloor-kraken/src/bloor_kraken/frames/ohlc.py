"""A candle as it is now, channel ``ohlc``.

.. code-block:: json

    {"channel":"ohlc","type":"update","data":[{"symbol":"BTC/USD","open":106038.2,"high":106044.3,"low":106038.1,"close":106040.1,"vwap":106039.6,"trades":12,"volume":30927.68066226,"interval_begin":"2023-10-04T16:25:00.000000000Z","interval":1,"timestamp":"2023-10-04T16:25:41.123456Z"}]}

Nothing says that a candle is closed: it is once one with a later beginning comes (:class:`Candles`). Kraken does not say
how much of the volume takers bought. Source: docs.kraken.com, WebSocket v2, "OHLC".
"""  # noqa: E501 (a payload as it came)

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bloor.market.messages import KlineMessage
from bloor_kraken.frames.fields import amount, integer, pair, positive, time_ns, wrong

__all__ = ["Candles", "ohlc"]

KIND = "ohlc"
MINUTE = 60_000_000_000
#: A month of minutes is more than any interval Kraken has (21600).
MAX_INTERVAL = 44_640


def ohlc(event: dict[str, Any]) -> KlineMessage:
    """Reads one object of ``data``.

    Raises:
        RemoteProtocolError: Names the field that is missing or wrong.
    """
    begin = time_ns(KIND, event, "interval_begin")
    minutes = integer(KIND, event, "interval")
    if not 0 < minutes <= MAX_INTERVAL:
        raise wrong(KIND, "interval", "minutes", minutes)
    return KlineMessage(
        pair(KIND, event.get("symbol")),
        time_ns(KIND, event, "timestamp", optional=True),
        begin,
        begin + minutes * MINUTE - 1,
        positive(KIND, "open", event.get("open")),
        positive(KIND, "high", event.get("high")),
        positive(KIND, "low", event.get("low")),
        positive(KIND, "close", event.get("close")),
        amount(KIND, "volume", event.get("volume")),
        "",
        integer(KIND, event, "trades"),
        False,
    )


class Candles:
    """Which candles are closed: all but the newest of each symbol and interval."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, int], KlineMessage] = {}

    def taken(self, candle: KlineMessage) -> Iterator[KlineMessage]:
        """The candle, after the one that it closes if there is one."""
        key = (candle.symbol, candle.close_ns - candle.open_ns)
        newest = self._newest.get(key)
        if newest is not None and candle.open_ns < newest.open_ns:
            yield candle._replace(final=True)
            return
        if newest is not None and newest.open_ns < candle.open_ns:
            yield newest._replace(final=True, exch_ns=candle.exch_ns or newest.exch_ns)
        self._newest[key] = candle
        yield candle
