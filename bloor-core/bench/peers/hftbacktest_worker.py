"""hftbacktest 2 over rows of ours: it answers each line, a JSON document, with the seconds of a run and its fills.

``{"do": "data", "file", "tick", "lot", "low", "high"}`` prepares rows (``data`` of an ``.npz``: its event type, made by
the benchmark) in its own order of both times. ``{"do": "run", "strategy", "queue", "entry", "response", "first",
"period", "qty", "most", "keep"}`` runs a strategy; ``keep`` names a file for the fills. Its loop alone is timed.
"""

from __future__ import annotations

import json
import sys
from time import process_time
from typing import Any

import numpy as np
from hftbacktest import (
    FILLED,
    GTX,
    LIMIT,
    BacktestAsset,
    ROIVectorMarketDepthBacktest,
)
from hftbacktest.data import correct_event_order, validate_event_order
from hftbacktest.order import IOC
from hftbacktest.types import event_dtype
from numba import njit

#: Wide enough that a strategy that waits for rows never waits in vain, ns.
FOREVER = 10**17


@njit
def note_fills(h, kept, count):
    """Writes down the orders that were filled since the last time."""
    orders = h.orders(0).values()
    while orders.has_next():
        order = orders.get()
        if order.status == FILLED:
            row = kept[count]
            row[0], row[1] = order.exch_timestamp, order.arr[0].exec_price_tick
            row[2], row[3] = round(order.arr[0].exec_qty * 1e8), order.arr[0].side
            row[4] = order.order_id
            count += 1
    return count


@njit
def touch(h, first, period, qty, most, kept):
    """Every period: cancels everything, and quotes at the best prices."""
    number, count, wait = 0, 0, first
    while h.elapse(wait) == 0:
        wait = period
        if kept.shape[0]:
            count = note_fills(h, kept, count)
        h.clear_inactive_orders(0)
        orders = h.orders(0).values()
        while orders.has_next():
            order = orders.get()
            if order.cancellable:
                h.cancel(0, order.order_id, False)
        depth, position = h.depth(0), h.position(0)
        if not (depth.best_bid > 0 and depth.best_ask > 0):
            continue
        if position < most:
            number += 1
            h.submit_buy_order(0, number, depth.best_bid, qty, GTX, LIMIT, False)
        if position > -most:
            number += 1
            h.submit_sell_order(0, number, depth.best_ask, qty, GTX, LIMIT, False)
    if kept.shape[0]:
        count = note_fills(h, kept, count)
    return count, number


@njit
def trend(h, tick, qty, fast, slow, band, kept):
    """Follows two averages of trade prices: long or short, by orders that take."""
    number, count, started, want = 0, 0, False, 0
    quick = steady = 0.0
    while h.wait_next_feed(False, FOREVER) != 1:
        trades = h.last_trades(0)
        for i in range(len(trades)):
            price = float(round(trades[i].px / tick))
            if not started:
                quick = steady = price
                started = True
            quick += fast * (price - quick)
            steady += slow * (price - steady)
            depth = h.depth(0)
            if not (depth.best_bid > 0 and depth.best_ask > 0):
                continue
            if quick - steady > band and want <= 0:
                size = qty if want == 0 else 2 * qty
                want = 1
                number += 1
                h.submit_buy_order(0, number, depth.best_ask, size, IOC, LIMIT, False)
            elif quick - steady < -band and want >= 0:
                size = qty if want == 0 else 2 * qty
                want = -1
                number += 1
                h.submit_sell_order(0, number, depth.best_bid, size, IOC, LIMIT, False)
        if len(trades):
            h.clear_last_trades(0)
            if kept.shape[0]:
                count = note_fills(h, kept, count)
            h.clear_inactive_orders(0)
    if kept.shape[0]:
        count = note_fills(h, kept, count)
    return count, number


class Peer:
    """The rows, and runs over them."""

    def data(self, file: str, tick: float, lot: float, low: float, high: float) -> dict[str, Any]:
        """Reads rows."""
        given = np.load(file)["data"].astype(event_dtype)
        by_venue = np.argsort(given["exch_ts"], kind="stable")
        by_us = np.argsort(given["local_ts"], kind="stable")
        self.rows = correct_event_order(given, by_venue, by_us)
        validate_event_order(self.rows)
        self.tick, self.lot, self.low, self.high = tick, lot, low, high
        return {"rows": len(self.rows), "first": int(min(given["exch_ts"].min(), given["local_ts"].min()))}

    def run(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One run; its loop is timed."""
        asset = BacktestAsset().data(self.rows).linear_asset(1.0)
        asset = asset.constant_order_latency(asked["entry"], asked["response"]).trading_value_fee_model(0.0, 0.0)
        asset = asset.tick_size(self.tick).lot_size(self.lot).last_trades_capacity(1000).no_partial_fill_exchange()
        asset = asset.roi_lb(self.low).roi_ub(self.high)
        if asked["queue"] == "fifo":
            asset = asset.l3_fifo_queue_model()
        elif asked["queue"] == "risk-averse":
            asset = asset.risk_adverse_queue_model()
        else:
            asset = asset.power_prob_queue_model(asked["power"])
        book = ROIVectorMarketDepthBacktest([asset])
        kept = np.zeros((200_000 if asked["keep"] else 0, 5), np.int64)
        began = process_time()
        if asked["strategy"] == "touch":
            count, number = touch(book, asked["first"], asked["period"], asked["qty"], asked["most"], kept)
        else:
            count, number = trend(book, self.tick, asked["qty"], asked["fast"], asked["slow"], asked["band"], kept)
        took = process_time() - began
        book.close()
        if asked["keep"]:
            np.save(asked["keep"], kept[:count])
        return {"seconds": took, "fills": count, "orders": number}


def main() -> None:
    """Answers until the input ends."""
    peer = Peer()
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        what = asked.pop("do")
        print(json.dumps(peer.data(**asked) if what == "data" else peer.run(asked)), flush=True)


if __name__ == "__main__":
    main()
