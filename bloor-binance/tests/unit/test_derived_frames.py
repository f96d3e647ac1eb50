"""Candles and mark prices by the reference: documented payloads, wrong fields, what is missing."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bloor.errors import RemoteProtocolError
from bloor.market.messages import KlineMessage, MarkPriceMessage, OtherMessage
from bloor_binance.normalizer import BinanceSpotNormalizer
from bloor_binance.usdm.normalizer import BinanceUsdmNormalizer

CANDLE = {
    "t": 1672515780000, "T": 1672515839999, "s": "BNBBTC", "i": "1m", "f": 100, "L": 200, "o": "0.0010",
    "c": "0.0020", "h": "0.0025", "l": "0.0015", "v": "1000", "n": 100, "x": False, "q": "1.0000", "V": "500",
    "Q": "0.500", "B": "123456",
}  # fmt: skip
KLINE = {"e": "kline", "E": 1672515782136, "s": "BNBBTC", "k": CANDLE}
MARK = {
    "e": "markPriceUpdate", "E": 1562305380000, "s": "BTCUSDT", "p": "11794.15000000", "i": "11784.62659091",
    "P": "11784.25641265", "r": "0.00038167", "T": 1562306400000,
}  # fmt: skip
MS = 1_000_000


def read(event: Any, usdm: bool = False) -> Any:
    normalizer = BinanceUsdmNormalizer() if usdm else BinanceSpotNormalizer()
    (message,) = normalizer.decode(orjson.dumps(event))
    return message


@pytest.mark.parametrize("usdm", [False, True])
def test_kline(usdm: bool) -> None:
    """A candle's times, prices, base volumes, count and whether it is closed."""
    assert read(KLINE, usdm) == KlineMessage(
        "BNBBTC", 1672515782136 * MS, 1672515780000 * MS, 1672515839999 * MS, "0.0010", "0.0025", "0.0015", "0.0020",
        "1000", "500", 100, False,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["t", "T", "o", "h", "l", "c", "v", "V", "n", "x"])
def test_a_candle_that_lacks_something(name: str) -> None:
    """A candle without one of what is read is another message: nothing is kept of it and nothing is wrong."""
    candle = {key: value for key, value in CANDLE.items() if key != name}
    assert read(KLINE | {"k": candle}) == OtherMessage("kline")


@pytest.mark.parametrize(
    ("name", "value"), [("o", "0.0"), ("h", 1), ("v", "-1"), ("x", 1), ("n", "1"), ("t", -1), ("c", "NaN")]
)
def test_a_candle_with_a_wrong_field(name: str, value: Any) -> None:
    """A wrong value is an error that names its field."""
    with pytest.raises(RemoteProtocolError, match=f"kline: field '{name}'"):
        read(KLINE | {"k": CANDLE | {name: value}})


def test_mark_price() -> None:
    """Mark, index, rate and the time of the next funding."""
    assert read(MARK, usdm=True) == MarkPriceMessage(
        "BTCUSDT", 1562305380000 * MS, "11794.15000000", "11784.62659091", "0.00038167", 1562306400000 * MS
    )


def test_mark_price_without_funding() -> None:
    """A delivery contract has no rate, and its next funding is never."""
    message = read(MARK | {"r": "", "T": 0}, usdm=True)
    assert (message.rate, message.next_funding_ns) == ("", 0)


@pytest.mark.parametrize("rate", ["--1", "1e-5", "NaN", "+1", ".", None, 1, "1."])
def test_mark_price_with_a_wrong_rate(rate: Any) -> None:
    """A rate is a plain number with or without a minus."""
    with pytest.raises(RemoteProtocolError, match="markPriceUpdate: field 'r'"):
        read(MARK | {"r": rate}, usdm=True)


def test_mark_price_that_lacks_something() -> None:
    """An incomplete message is another."""
    assert read({"e": "markPriceUpdate", "s": "BTCUSDT"}, usdm=True) == OtherMessage("markPriceUpdate")
