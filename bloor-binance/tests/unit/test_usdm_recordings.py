"""Every recording of USD-M futures, against books built here and against the venue's own best prices."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.market.normalize import normalize
from bloor.market.recording import RecordedLine, read_recording
from bloor_binance.usdm.instruments import normalizer_spec, parse_instruments

pytestmark = pytest.mark.recorded

RECORDINGS = {
    "btcusdt_20240808": ["binance_usdm/btcusdt_20240808.txt.gz"],
    "four perpetuals of 2021": [
        "cryptofeed/binance_futures/BINANCE_FUTURES.http.0.0.gz",
        "cryptofeed/binance_futures/BINANCE_FUTURES.ws.1.0.gz",
    ],
}
#: Name -> frames, trades, quotes, other messages, and tops that a quote can be compared with.
EXPECTED = {
    "btcusdt_20240808": (93954, 21313, 66089, 0, 629),
    "four perpetuals of 2021": (1539, 91, 613, 67, 50),
}


class Reference:
    """Books kept by nothing but dictionaries, by the published procedure."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.tops: dict[str, list[tuple[int, Any, Any]]] = defaultdict(list)
        self.quotes: dict[tuple[str, int], tuple[Any, Any]] = {}
        self.trades: dict[str, list[str]] = defaultdict(list)
        self.broken = 0
        self._books: dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]] = {}
        self._last: dict[str, int] = {}
        self._previous: dict[str, int] = {}
        self._held: dict[str, list[dict[str, Any]]] = defaultdict(list)
        lines = [line for line in read_recording(paths) if isinstance(line, RecordedLine)]
        named = {json.loads(line.payload).get("data", {}).get("s") for line in lines} - {None}
        for line in lines:
            document = json.loads(line.payload)
            if "lastUpdateId" in document:
                symbol = line.url.partition("symbol=")[2].partition("&")[0] if line.url else next(iter(named))
                self._load(symbol, document)
            else:
                self._event(document["data"])

    def _load(self, symbol: str, snapshot: dict[str, Any]) -> None:
        bids, asks = ({Decimal(p): Decimal(q) for p, q in snapshot[side]} for side in ("bids", "asks"))
        self._books[symbol] = (bids, asks)
        self._last[symbol] = snapshot["lastUpdateId"]
        for event in self._held.pop(symbol, []):
            if event["u"] > self._last[symbol]:
                self._apply(event)

    def _event(self, event: dict[str, Any]) -> None:
        symbol = event["s"]
        if event["e"] == "depthUpdate":
            self.broken += self._previous.get(symbol, event["pu"]) != event["pu"]
            self._previous[symbol] = event["u"]
            if symbol not in self._books:
                self._held[symbol].append(event)
            elif event["u"] > self._last[symbol]:
                self._apply(event)
        elif event["e"] == "bookTicker":
            sides = (event["b"], event["B"]), (event["a"], event["A"])
            bid, ask = (tuple(map(Decimal, side)) for side in sides)
            self.quotes[symbol, event["u"]] = (bid, ask)
        elif event["e"] in ("trade", "aggTrade"):
            self.trades[symbol].append(str(event["t"] if event["e"] == "trade" else event["a"]))

    def _apply(self, event: dict[str, Any]) -> None:
        symbol = event["s"]
        bids, asks = self._books[symbol]
        for levels, side in ((event["b"], bids), (event["a"], asks)):
            for price, qty in levels:
                if Decimal(qty):
                    side[Decimal(price)] = Decimal(qty)
                else:
                    side.pop(Decimal(price), None)
        bid, ask = max(bids), min(asks)
        self.tops[symbol].append((event["u"], (bid, bids[bid]), (ask, asks[ask])))


@pytest.fixture(scope="module", params=RECORDINGS)
def read(request: pytest.FixtureRequest, recordings: Path) -> tuple[str, Reference, list[dict[str, Any]]]:
    """A recording's name, its reference, and the lines that bloor makes of it."""
    paths = [recordings / name for name in RECORDINGS[request.param]]
    lines: list[dict[str, Any]] = []
    normalize(normalizer_spec(), paths, write=lines.append)
    return request.param, Reference(paths), lines


def side(level: list[str]) -> tuple[Decimal, Decimal]:
    """A side of a line, as numbers."""
    return Decimal(level[0]), Decimal(level[1])


def test_nothing_is_missing_wrong_or_unreadable(read: tuple[str, Reference, list[dict[str, Any]]]) -> None:
    """Every frame is read and counted as what it is, and each change names the one before it."""
    name, reference, lines = read
    summary = lines[-1]
    assert reference.broken == 0
    assert (summary["gaps"], summary["errors"]) == (0, 0)
    assert (summary["messages"], summary["trades"], summary["bbos"]) == EXPECTED[name][:3]


def test_every_top_is_that_of_the_reference(read: tuple[str, Reference, list[dict[str, Any]]]) -> None:
    """After each change the best prices and quantities are those of a book kept by dictionaries; none is crossed."""
    _, reference, lines = read
    tops: dict[str, list[tuple[int, Any, Any]]] = defaultdict(list)
    for line in lines:
        if line["kind"] == "top":
            bid, ask = side(line["bid"]), side(line["ask"])
            assert bid[0] < ask[0]
            tops[line["symbol"].replace("-", "")].append((line["seq"], bid, ask))
    assert tops == reference.tops


def test_the_top_is_the_quote_with_the_same_number(read: tuple[str, Reference, list[dict[str, Any]]]) -> None:
    """The venue's own best bid and offer agrees in every comparison that there is."""
    name, reference, lines = read
    compared = 0
    for line in lines:
        if line["kind"] == "top":
            quote = reference.quotes.get((line["symbol"].replace("-", ""), line["seq"]))
            if quote is not None:
                compared += 1
                assert quote == (side(line["bid"]), side(line["ask"]))
    assert compared == EXPECTED[name][4]


def test_every_trade_is_there_once(read: tuple[str, Reference, list[dict[str, Any]]]) -> None:
    """In the order in which they came."""
    _, reference, lines = read
    trades: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        if line["kind"] in ("trade", "agg_trade"):
            trades[line["symbol"].replace("-", "")].append(line["id"])
    assert trades == reference.trades


def test_the_instruments_of_2021(recordings: Path) -> None:
    """Perpetuals and delivery contracts, each with its own canonical symbol and its steps."""
    path = recordings / "cryptofeed/binance_futures/BINANCE_FUTURES.0.gz"
    line = gzip.decompress(path.read_bytes()).splitlines()[0]
    found = {i.symbol: i for i in parse_instruments(line[line.index(b"{") :])}
    assert len(found) == 122
    assert found["BTC-USDT"].tick_size == Decimal("0.01")
    assert found["BTC_210924-USDT"].venue_symbol == "BTCUSDT_210924"
