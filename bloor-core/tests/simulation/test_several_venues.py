"""Several venues in one run, in virtual time."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from bloor.engine.effects import feed_conn, order_conn
from bloor.errors import ConfigError
from bloor.host.replay.run import replay
from bloor.journal.record import RecordKind
from bloor.journal.writer import Writer
from bloor.market.view import BookState
from bloor.observe.session import fill_row
from bloor.observe.summary import live_status, summary
from bloor.plugins import PluginHost
from bloor.simulation.world import Latency
from bloor.strategy.api import Strategy
from bloor.testing.virtual import VirtualRun

VENUES = ("binance", "twin", "letters")


class Rests(Strategy):
    """Rests one buy order far below the market."""

    asked: bool = False

    def on_book(self, book: Any, orders: Any) -> None:
        """Asks for it once."""
        if book.two_sided and not self.asked:
            self.asked = True
            orders.buy(book.best_bid * 96 // 100, orders.lots_for(1000.0, book.best_bid))


class Takes(Strategy):
    """Buys at once, for a thousand of the quote asset."""

    asked: bool = False

    def on_book(self, book: Any, orders: Any) -> None:
        """Asks for it once."""
        if book.two_sided and not self.asked:
            self.asked = True
            orders.buy(book.best_ask * 1001 // 1000, orders.lots_for(1000.0, book.best_ask), ioc=True)


def document(run: VirtualRun, **stale_ns: int) -> dict[str, Any]:
    """The summary of a run."""
    return summary(
        run.engine, mode="sim", session=Path("x"), duration_s=1.0, stale_ns=stale_ns, versions={}, notices=()
    )


def write_session(run: VirtualRun, folder: Path) -> Path:
    """Writes a run as the host writes it."""
    rows = run.journal.records
    header = orjson.dumps({"config": run.setup.record(), "engine": run.engine.plan.record()})
    with Writer(folder / "journal", epoch=1, clock=lambda: 0, header=header, wall_ns=rows[0][2]) as writer:
        for row in rows:
            writer.append(*row)
            writer.tend()
        written = orjson.dumps(document(run))
        writer.append(RecordKind.STATUS, 0, rows[-1][2], b'{"summary":' + written + b"}")
        writer.close(rows[-1][2])
    (folder / "summary.json").write_bytes(written)
    (folder / "fills.jsonl").write_bytes(b"".join(orjson.dumps(fill_row(f)) + b"\n" for f in run.fills))
    return folder


@pytest.mark.usefixtures("twins")
def test_a_strategy_trades_at_every_venue() -> None:
    """Each instrument has its own desk; what venues are told apart by is in the document, and its sums are the totals.

    Every seeded market is the same with the same seed, so each venue brings as many fills as the others.
    """
    run = VirtualRun(["momentum"], venue=VENUES, seed=3)
    run.for_seconds(15)
    run.finish()
    told = document(run, twin=1_500_000_000)
    assert told["instruments"] == [f"{venue}:BTC-USDT" for venue in VENUES]
    rows = {row["venue"]: row for row in told["by_venue"]}
    assert tuple(rows) == VENUES
    assert len({row["fills"] for row in rows.values()}) == 1
    assert rows["letters"]["fills"] > 3
    for name in ("fills", "messages"):
        assert sum(row[name] for row in rows.values()) >= told["fills"]
    for name in ("pnl_net", "fees", "volume_quote"):
        assert sum(Decimal(row[name]) for row in rows.values()) == Decimal(told[name])
        assert sum(Decimal(row[name]) for row in told["positions"]) == Decimal(told[name])
    assert rows["twin"]["data_quality"]["stale_s"] == told["data_quality"]["stale_s"] == 1.5
    assert rows["binance"]["data_quality"]["stale_s"] == 0
    counts = [row["order_to_ack_ns"]["count"] for row in rows.values() if row["order_to_ack_ns"]]
    assert sum(counts) == told["latency_ns"]["order_to_ack"]["count"]


@pytest.mark.usefixtures("twins")
def test_a_session_of_several_venues_is_verified(tmp_path: Path) -> None:
    """Every decision, frame and request again, and the same money from fills.jsonl."""
    run = VirtualRun(["momentum"], venue=VENUES, seed=5)
    run.for_seconds(5)
    run.world.cut(order_conn(2))
    run.world.cut(feed_conn(1))
    run.for_seconds(6)
    run.finish()
    result = replay(write_session(run, tmp_path), PluginHost(), verify=True)
    assert result.failure == ""
    assert result.document["hash"] == run.engine.log.hexdigest()
    assert result.document["fills_file"]["equal"]
    assert result.document["summary"]["equal"]
    assert result.document["counts"]["request"] > 3


@pytest.mark.usefixtures("twins")
def test_a_venue_that_is_lost_takes_nothing_from_the_others() -> None:
    """Its book is not to be believed and its orders are uncertain; elsewhere everything goes on."""
    run = VirtualRun(["momentum"], venue=("binance", "twin"), seed=3)
    run.for_seconds(5)
    run.world._backoff_ns = 60_000_000_000
    run.world.cut(feed_conn(1))
    run.world.cut(order_conn(1))
    before = {desk.instrument.venue: desk.account.fills for desk in run.engine.desks}
    run.for_seconds(15)
    after = {desk.instrument.venue: desk.account.fills for desk in run.engine.desks}
    states = {desk.instrument.venue: desk.book.state for desk in run.engine.desks}
    assert after["binance"] > before["binance"]
    assert after["twin"] <= before["twin"] + 1
    assert states["binance"] == BookState.SYNCED
    assert states["twin"] != BookState.SYNCED
    assert [line.orders.ready for line in run.engine.lines] == [True, False]


@pytest.mark.usefixtures("twins")
def test_the_end_of_a_run_cancels_at_every_venue() -> None:
    """Over connections and over REST."""
    run = VirtualRun(strategies=[Rests], venue=VENUES)
    run.for_seconds(4)
    open_at = [len(venue.exchange.open_orders(1)) for venue in run.world.venues]  # type: ignore[attr-defined]
    assert open_at == [1, 1, 1]
    run.finish()
    assert run.engine.open_orders == 0
    assert not any(venue.exchange.open_orders(1) for venue in run.world.venues)  # type: ignore[attr-defined]


PAIRS = ("BTC-USDT", "BTC-EUR")


def test_amounts_of_two_currencies_are_not_added_without_a_rate() -> None:
    """What an euro is worth has to be stated."""
    with pytest.raises(ConfigError, match=r"run\.rates\.EUR: expected what one EUR is worth in USDT"):
        VirtualRun(strategies=[Takes], symbols=PAIRS)


def test_sums_are_told_in_one_currency(tmp_path: Path) -> None:
    """Each amount is multiplied by the rate of its quote asset, exactly; a replay tells the same."""
    sets = ["run.currency=USD", "run.rates.EUR=1.08", "run.rates.USDT=0.999"]
    run = VirtualRun(strategies=[Takes], symbols=PAIRS, sets=sets)
    run.for_seconds(4)
    run.finish()
    told = document(run)
    assert (told["currency"], told["rates"]) == ("USD", {"EUR": "1.08", "USDT": "0.999"})
    dollar, euro = (desk for desk in run.engine.desks)
    assert dollar.account.fills and euro.account.fills
    rates = {dollar: Decimal("0.999"), euro: Decimal("1.08")}
    for name, amount in (
        ("volume_quote", lambda d: d.account.volume),
        ("fees", lambda d: d.account.fees),
        ("pnl_net", lambda d: d.account.pnl_net(d.mark2)),
    ):
        assert Decimal(told[name]) == sum(amount(desk) * rate for desk, rate in rates.items())
        assert sum(Decimal(row[name]) for row in told["positions"]) == Decimal(told[name])
    assert 900 < euro.account.volume < 1_001
    assert [row["mark"] for row in told["positions"]][1].startswith("5")  # a price, in euros
    status = live_status(run.engine, elapsed_s=1.0, duration_s=None)
    assert (status["currency"], status["pnl_net"]) == ("USD", told["pnl_net"])
    result = replay(write_session(run, tmp_path), PluginHost(), verify=True, strategies=[Takes])
    assert result.failure == ""
    assert result.document["rates"] == told["rates"]


class Quotes(Strategy):
    """Keeps a bid at the touch, taken away and placed anew three times a second, and sells what it gets."""

    next_ns: int = 0

    def on_book(self, book: Any, orders: Any) -> None:
        """Quotes anew when it is time."""
        if orders.now_ns < self.next_ns or not book.two_sided:
            return
        self.next_ns = orders.now_ns + 333_000_000
        orders.cancel_all()
        if orders.sellable_lots >= orders.lots_for(20.0, book.best_bid) and orders.open_sell == 0:
            orders.sell(book.best_bid * 999 // 1000, orders.sellable_lots, ioc=True)
        elif orders.open_buy == 0:
            orders.buy(book.best_bid, orders.lots_for(500.0, book.best_bid))


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_believed_is_what_each_venue_has(seed: int, tmp_path: Path) -> None:
    """Three venues of three protocols, answers lost, changes lost, every connection cut: at the end nothing is open
    anywhere, every position is what was executed there, and a replay decides the same.
    """
    run = VirtualRun(
        ["momentum"], strategies=[Quotes], venue=("binance", "kraken", "coinbase"), seed=seed,
        faults="lost-ack:0.05,gap:0.005", latency=Latency(1_000_000, 15_000_000),
    )  # fmt: skip
    run.for_seconds(8)
    for line in range(3):
        run.world.cut(order_conn(line))
    run.for_seconds(8)
    for line in range(3):
        run.world.cut(feed_conn(line))
    run.for_seconds(10)
    run.finish(90)
    assert (run.engine.failure, run.engine.open_orders) == (None, 0)
    assert run.engine.tally()["unknown"] == 0
    for line, venue in enumerate(run.world.venues):
        exchange: Any = venue.exchange  # type: ignore[attr-defined]
        orders = list(exchange.orders.values())
        believed = sum(desk.position for desk in run.engine.desks if desk.line == line)
        assert not exchange.open_orders(1)
        assert len({order.client_id for order in orders}) == len(orders) > 10
        assert believed == sum(order.side * order.executed for order in orders)
    assert not any(desk.halted for desk in run.engine.desks)
    result = replay(write_session(run, tmp_path), PluginHost(), verify=True, strategies=[Quotes])
    assert result.failure == ""
