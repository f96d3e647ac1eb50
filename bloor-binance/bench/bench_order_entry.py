"""Encoding orders: machine code against the ordinary form and against ``orjson.dumps`` alone, in the same run.

    python bloor-binance/bench/bench_order_entry.py [--json]

Two thousand orders and cancels are made from a seed: prices and quantities of BTC-USDT, limit, post-only and market
orders. A round writes each once by each way, one after the other; what is reported are medians over rounds, CPU ns a
frame. The compiled form is called as other compiled code calls it, by address. ``orjson.dumps`` alone gets the finished
dictionary, which the ordinary form must make first. Every frame is compared before anything is measured.
"""

from __future__ import annotations

import json
import platform
import random
import sys
from importlib.metadata import version
from statistics import median
from time import perf_counter, process_time_ns
from typing import Any

import numpy as np
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bloor.hookspecs import ExecutorContext
from bloor.model.instrument import Instrument
from bloor.model.orders import CancelRequest, OrderRequest, OrderType, Side, TimeInForce
from bloor.native.memory import call4
from bloor.native.twins import twins
from bloor.venue.entry import LONGEST, EntryOrder, client_cells
from bloor.venue.session import Endpoints
from bloor_binance.executor import BinanceExecutor
from bloor_binance.signing import BinanceCredentials

ROUNDS, ORDERS, REPEAT = 15, 2_000, 20
NOW_NS = 1_760_000_000_123_456_789
MS = 1_000_000
BTC = Instrument(
    venue="binance", symbol="BTC-USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", price_decimals=2,
    qty_decimals=8, lot_units=1000,
)  # fmt: skip


def session() -> BinanceExecutor:
    """A session that is logged on."""
    keys = BinanceCredentials(api_key="key", private_key=Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    here = "ws://127.0.0.1:1"
    made = BinanceExecutor(
        ExecutorContext(config=None, endpoints=Endpoints(here, here, here), credentials=keys, instruments=[BTC])
    )
    made.connected(0)
    for name, result in (("time", {"serverTime": 250}), ("logon", {}), ("stream", {})):
        made.received(orjson.dumps({"id": name, "status": 200, "result": result}), 0)
    assert made.ready
    return made


def drawn(count: int) -> tuple[list[OrderRequest], list[CancelRequest], list[EntryOrder]]:
    """Orders, cancels of them, and both as the kernels read them."""
    draw = random.Random(1)
    places, cancels, cells = [], [], []
    for number in range(count):
        kind = draw.choice([OrderType.LIMIT, OrderType.LIMIT, OrderType.POST_ONLY, OrderType.MARKET])
        order = OrderRequest(
            client_id=f"B01000101{number:06d}", instrument=BTC, side=draw.choice([Side.BUY, Side.SELL]), type=kind,
            tif=draw.choice(list(TimeInForce)), lots=draw.randint(1, 1_000_000),
            price_ticks=0 if kind is OrderType.MARKET else draw.randint(5_000_000, 7_000_000),
        )  # fmt: skip
        known = draw.choice(["", str(draw.randint(10**9, 10**11))])
        places.append(order)
        cancels.append(CancelRequest(client_id=order.client_id, venue_order_id=known, instrument=BTC))
        row = EntryOrder()
        row.side, row.type, row.tif, row.price, row.lots = order.side, kind, order.tif, order.price_ticks, order.lots
        row.venue_order_id = int(known) if known else -1
        row.client0, row.client1 = client_cells(order.client_id)
        cells.append(row)
    return places, cancels, cells


def looped() -> Any:
    """Compiled code that has all orders encoded ``REPEAT`` times over; gives the bytes of one time."""
    import numba

    njit: Any = numba.njit
    call = twins()[call4]

    def loop(function: int, entry: int, orders: Any, out: int, now_ns: int, repeat: int) -> int:
        size = 0
        for again in range(repeat):
            size = 0
            for order in orders:
                size += call(function, entry, order, out, now_ns + again)
        return size

    return njit(loop)


def main() -> None:
    """Measures and prints."""
    began = perf_counter()
    made = session()
    functions = made.entry.functions()
    start_s = perf_counter() - began
    places, cancels, cells = drawn(ORDERS)
    room = np.zeros(LONGEST, np.uint8)
    out, entry = room.ctypes.data, made.entry.address
    addresses = np.array([row.address for row in cells], np.int64)
    loop = looped()
    rows = []
    for name, orders in (("place", places), ("cancel", cancels)):
        ordinary: Any = getattr(made, name)
        frames = [ordinary(order, NOW_NS) for order in orders]
        for row, frame in zip(cells, frames, strict=True):
            size = functions.call[name](entry, row.address, out, NOW_NS)
            assert room[:size].tobytes() == frame
        documents = [orjson.loads(frame) for frame in frames]
        size = loop(functions.address[name], entry, addresses, out, NOW_NS, 1)
        times: dict[str, list[float]] = {"native": [], "ordinary": [], "orjson": []}
        for _ in range(ROUNDS):
            start = process_time_ns()
            loop(functions.address[name], entry, addresses, out, NOW_NS, REPEAT)
            times["native"].append((process_time_ns() - start) / ORDERS / REPEAT)
            start = process_time_ns()
            for order in orders:
                ordinary(order, NOW_NS)
            times["ordinary"].append((process_time_ns() - start) / ORDERS)
            start = process_time_ns()
            for document in documents:
                orjson.dumps(document)
            times["orjson"].append((process_time_ns() - start) / ORDERS)
        rows.append(
            {
                "frame": name,
                "bytes": round(size / ORDERS),
                **{f"{way}_ns": median(found) for way, found in times.items()},
            }
        )
    result = {
        "python": platform.python_version(), "numba": version("numba"), "orjson": version("orjson"),
        "start_s": start_s, "frames": rows,
    }  # fmt: skip
    if "--json" in sys.argv:
        print(json.dumps(result))
        return
    print(f"{'frame':8}{'bytes':>7}{'native ns':>11}{'orjson ns':>11}{'ordinary ns':>13}{'faster':>9}")
    for line in rows:
        faster = line["ordinary_ns"] / line["native_ns"]
        print(
            f"{line['frame']:8}{line['bytes']:7}{line['native_ns']:11.1f}{line['orjson_ns']:11.1f}"
            f"{line['ordinary_ns']:13.1f}{faster:8.1f}x"
        )
    print(f"from a new session to its functions: {start_s:.2f} s")


if __name__ == "__main__":
    main()
