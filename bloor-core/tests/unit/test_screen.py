"""What a person sees at the end of a run."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from bloor.cli.screen import live_screen, summary_screen

ORDERS = {"sent": 4, "acked": 4, "filled": 3, "cancelled": 1, "rejected": 0, "denied": 2, "unknown": 0}
QUALITY = {"gaps": 7, "resyncs": 0, "checksum_failures": 0, "stale_s": 0.0, "errors": 0, "crossed": 0}
STAGE = {"p50": 1, "p99": 2, "p999": 3, "max": 4, "count": 5}


def document(*strategies: str, venues: tuple[str, ...] = ("binance",)) -> dict[str, Any]:
    """A summary of some strategies."""
    results = {
        "fills": 3, "volume_quote": "1234.5", "fees": "1.2", "pnl_net": "-7.25", "win_rate": 0.5, "round_trips": 2,
    }  # fmt: skip
    return {
        **results,
        "mode": "sim", "session": "session", "strategies": list(strategies), "instruments": ["binance:BTC-USDT"],
        "currency": "USDT", "frames": 10, "events": 10, "orders": ORDERS,
        "positions": [
            {"strategy": name, "venue": "binance", "symbol": "BTC-USDT", "qty": "0.1", "avg_price": None,
             "mark": "60000", "pnl_net": "-7.25"}
            for name in strategies
        ],
        "by_strategy": [{"strategy": name, "orders": ORDERS, **results} for name in strategies],
        "by_venue": [
            {"venue": name, "messages": 5, "order_to_ack_ns": STAGE, "data_quality": QUALITY, **results}
            for name in venues
        ],
        "latency_ns": {"tick_to_decision": STAGE, "tick_to_wire": STAGE, "order_to_ack": STAGE}, "denials": {},
        "data_quality": QUALITY,
        "duration_s": 1.0, "hash": "00", "decisions": 6, "halted": "", "notices": [], "versions": {}, "failure": "",
    }  # fmt: skip


def shown(**what: Any) -> str:
    """The screen as text."""
    console = Console(width=140)
    with console.capture() as captured:
        console.print(summary_screen(what))
    return captured.get()


def test_several_strategies_are_compared() -> None:
    """Each has a line with its orders, fills and money."""
    text = shown(**document("swing", "quick"))
    [line] = [line for line in text.splitlines() if line.strip("│ ").startswith("quick ") and "binance" not in line]
    for part in ("4", "2", "3", "1,234.5000", "1.2000", "-7.2500", "50% of 2"):
        assert part in line


def test_a_single_strategy_is_not_compared_with_itself() -> None:
    """Its results are the totals already."""
    assert "strategy " not in shown(**document("swing"))


def test_several_venues_are_told_apart() -> None:
    """What came of each, how fast it answered, and how good its data was; on a terminal of 80 columns too."""
    console = Console(width=80)
    with console.capture() as captured:
        console.print(summary_screen(document("swing", venues=("kraken", "coinbase"))))
    lines = [line.strip("│ ") for line in captured.get().splitlines()]
    assert [line.split() for line in lines if line.startswith("coinbase ")] == [
        ["coinbase", "3", "1,234.5000", "1.2000", "-7.2500", "1", "ns", "2", "ns"],
        ["coinbase", "5", "7", "0", "0", "0"],
    ]
    assert not any(line.startswith("venue ") for line in shown(**document("swing")).splitlines())


def test_the_live_view_says_where_orders_cannot_be_sent() -> None:
    """Of each venue, when there are several."""
    status = {
        "elapsed_s": 1.0, "duration_s": None, "frames": 1, "events": 1, "orders": ORDERS, "open_orders": 0, "fills": 0,
        "fees": "0", "pnl_net": "0", "currency": "USD", "books": [], "latency_ns": {}, "denials": {}, "halted": "",
        "data_quality": QUALITY,
        "venues": [
            {"venue": name, "orders_ready": ready, "messages": 4, "data_quality": QUALITY}
            for name, ready in (("kraken", True), ("coinbase", False))
        ],
    }  # fmt: skip
    console = Console(width=80)
    with console.capture() as captured:
        console.print(live_screen(status, "session"))
    lines = [" ".join(line.strip("│ ").split()) for line in captured.get().splitlines()]
    assert "kraken ready 4 7 0 0 0" in lines
    assert "coinbase not connected 4 7 0 0 0" in lines
