"""A backtest in plain Python, by the rules alone: slow, obvious, and nothing in common with the kernels.

One heap of happenings in time, dictionaries for books, objects for orders.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np

from bloor.execution.life import Status
from bloor.market.bars import Bars
from bloor.market.events import NO_PRICE, EventKind, EventView, Flag
from bloor.model.orders import Liquidity

BARS, DATA, ANSWER = 0, 1, 2
VENUE_DATA, VENUE_ASK = 3, 4
OPEN = (Status.PENDING_NEW, Status.NEW, Status.PARTIALLY_FILLED)


class Record:
    """Anything with attributes."""

    def __init__(self, **named: Any) -> None:
        self.__dict__.update(named)


class PlainDesk:
    """The ``orders`` of one strategy."""

    def __init__(self, market: PlainMarket) -> None:
        self.market = market
        self.now_ns = self.position = self.open_orders = 0
        self.lot_units = self.min_lots = 1
        self.book = market.view
        self.own: dict[int, Record] = {}

    @property
    def sellable_lots(self) -> int:
        return max(0, self.position + self.market.inventory - self.open_sell)

    def buy(self, price: int, lots: int, *, post_only: bool = False, ioc: bool = False) -> int:
        return self._place(1, price, lots, post_only, ioc)

    def sell(self, price: int, lots: int, *, post_only: bool = False, ioc: bool = False) -> int:
        return self._place(-1, price, lots, post_only, ioc)

    @property
    def open_buy(self) -> int:
        return self._open(1)

    @property
    def open_sell(self) -> int:
        return self._open(-1)

    def _open(self, side: int) -> int:
        """What may fill: of an order and the one that replaces it the larger, where both cannot."""
        left = {number: order.units - order.filled for number, order in self.own.items() if order.side == side}
        shared = sum(min(left[n], left[self.own[n].replaces]) for n in left if self.own[n].replaces in left)
        return sum(left.values()) - shared

    def _new(self, side: int, price: int, lots: int, post_only: bool, ioc: bool) -> Record:
        m = self.market
        m.number += 1
        order = Record(
            number=m.number, side=side, price=price, lots=lots, units=lots, left=lots, traded=0, filled=0, front=0,
            status=Status.PENDING_NEW, pending="", post_only=post_only, ioc=ioc and not post_only, rests=False,
            replaces=0,
        )  # fmt: skip
        self.own[order.number] = order
        self.open_orders += 1
        return order

    def _place(self, side: int, price: int, lots: int, post_only: bool, ioc: bool) -> int:
        order = self._new(side, price, lots, post_only, ioc)
        self.market.decide("place", order, lots)
        self.market.ask("place", order)
        return order.number

    def _cancel(self, order: Record) -> bool:
        if order.pending in ("cancel", "replace"):
            return False
        order.pending = "cancel"
        self.market.decide("cancel", order, order.lots)
        self.market.ask("cancel", order)
        self.market.tell.append(order)
        return True

    def cancel(self, number: int) -> bool:
        return number in self.own and self._cancel(self.own[number])

    def cancel_all(self) -> int:
        return sum(self._cancel(order) for order in list(self.own.values()))

    def _changeable(self, number: int) -> Record | None:
        order = self.own.get(number)
        return None if order is None or order.pending or order.status is Status.PENDING_NEW else order

    def replace(self, number: int, price: int, lots: int) -> int:
        old = self._changeable(number)
        if old is None:
            return 0
        joint = old.filled == 0
        new = self._new(old.side, price, lots, old.post_only, old.ioc)
        old.pending = "replace"
        new.replaces = old.number if joint else 0
        self.market.decide("replace", new, lots)
        self.market.ask("replace", old, new, joint)
        return new.number

    def amend(self, number: int, lots: int) -> bool:
        order = self._changeable(number)
        if order is None or lots >= order.lots or lots <= order.filled:
            return False
        order.pending = "amend"
        self.market.decide("amend", order, lots)
        self.market.ask("amend", order, lots)
        return True


class PlainMarket:
    """One instrument, one strategy, constant latencies, the risk-averse queue, no fees, no gate."""

    def __init__(
        self, rows: Any, strategy: Any, *, entry: int, response: int, offset: int = 0, partial: bool = True,
        self_trade: str = "taker", inventory: int = 0, timer_ns: int = 0, bars_ns: int = 0,
    ) -> None:  # fmt: skip
        self.rows, self.strategy = rows, strategy
        self.entry, self.response, self.partial, self.self_trade = entry, response, partial, self_trade
        self.inventory, self.held = inventory, inventory
        self.timer_ns = timer_ns
        self.view = Record(best_bid=NO_PRICE, best_ask=NO_PRICE, bid_qty=0, ask_qty=0, two_sided=False)
        self.desk = PlainDesk(self)
        self.bars = Bars(bars_ns) if bars_ns else None
        self.number = 0
        self.decisions: list[tuple[Any, ...]] = []
        self.fills: list[tuple[int, ...]] = []
        self.tell: list[Record] = []
        self.started = self.stopping = False
        self.now = 0
        self.book: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.taken: dict[tuple[int, int], int] = {}
        self.live: list[Record] = []
        self.heap: list[tuple[int, int, int, Any]] = []
        self.sequence = 0
        self.last_asked = self.last_told = 0
        self._schedule(offset)

    # ---- time

    def _push(self, ns: int, order: int, what: Any) -> None:
        self.sequence += 1
        heapq.heappush(self.heap, (ns, order, self.sequence, what))

    def _schedule(self, offset: int) -> None:
        newest = 0
        venue, pending = [], []
        for i, row in enumerate(self.rows):
            kind = int(row["kind"])
            newest = max(newest, int(row["recv_ns"]))
            if kind in (EventKind.TRADE, EventKind.BOOK):
                self._push(newest, DATA, i)
            if kind in (EventKind.TRADE, EventKind.LEVEL):
                venue.append((int(row["exch_ns"]) - offset, i))
            pending.append(i)
        self.end = newest
        for ns, i in sorted(venue):
            self._push(ns, VENUE_DATA, i)
        first = min(int(row["recv_ns"]) for row in self.rows if row["kind"] in (EventKind.TRADE, EventKind.BOOK))
        if self.timer_ns:
            self._push((first // self.timer_ns + 1) * self.timer_ns, BARS, "timer")
        if self.bars is not None:
            self.bars.begin(first)
            self._push(self.bars.end_ns, BARS, "bar")

    def run(self) -> None:
        """To the end of the rows, and until nothing is on its way."""
        stopped = False
        while self.heap or not stopped:
            if not stopped and (not self.heap or self.heap[0][0] > self.end):
                stopped = True
                self._stop()
                continue
            ns, order, _, what = heapq.heappop(self.heap)
            if order == BARS:
                self._due(ns, what)
            elif order == DATA:
                self._data(ns, what)
            elif order == ANSWER:
                self._answer(ns, *what)
            elif order == VENUE_DATA:
                self._venue_data(ns, self.rows[what])
            else:
                self._arrive(ns, *what)

    def _stop(self) -> None:
        self.now = self.end
        self._call("on_stop", self.desk)
        self.stopping = True
        self.desk.cancel_all()
        self.tell.clear()

    def _due(self, ns: int, what: str) -> None:
        if ns > self.end:
            return
        self.now = ns
        if what == "bar":
            assert self.bars is not None
            bar = self.bars.close(ns)
            if bar is not None:
                self._call("on_bar", bar, self.view, self.desk)
            self._push(self.bars.end_ns, BARS, "bar")
        else:
            self._call("on_timer", self.desk)
            self._push((ns // self.timer_ns + 1) * self.timer_ns, BARS, "timer")

    # ---- the strategy's side

    def _call(self, name: str, *arguments: Any) -> None:
        if not self.started or self.stopping:
            return
        self.desk.now_ns = self.now
        getattr(self.strategy, name)(*arguments)
        while self.tell:
            told, self.tell = self.tell, []
            for order in sorted(told, key=lambda o: o.number):
                if order.number in self.desk.own:
                    self._call("on_order", self._said(order, Status.PENDING_CANCEL, False), self.view, self.desk)

    @staticmethod
    def _said(order: Record, status: Status, closed: bool) -> Record:
        return Record(
            number=order.number, side=order.side, price=order.price, lots=order.lots, filled=order.filled,
            status=status, closed=closed,
        )  # fmt: skip

    def _data(self, ns: int, i: int) -> None:
        row = self.rows[i]
        self.now = ns
        if row["kind"] == EventKind.BOOK:
            v = self.view
            v.best_bid, v.bid_qty, v.best_ask, v.ask_qty = (
                int(row[name]) for name in ("price", "qty", "price2", "qty2")
            )
            v.two_sided = v.best_bid != NO_PRICE and v.best_ask != NO_PRICE
            if int(row["flags"]) & Flag.UNSEEN:
                return
            if not self.started:
                self.started = True
                self._call("on_start", self.desk)
            else:
                self._call("on_book", self.view, self.desk)
            return
        event = EventView(np.array([row], EventView.DTYPE))
        if self.bars is not None:
            self.bars.add(event.kind, event.price, event.qty, ns)
        self._call("on_trade", event, self.view, self.desk)

    def decide(self, kind: str, order: Record, lots: int) -> None:
        self.decisions.append((kind, order.side, order.number, order.price, lots, self.now))

    def ask(self, *what: Any) -> None:
        self.last_asked = max(self.last_asked, self.now + self.entry)
        self._push(self.last_asked, VENUE_ASK, what)

    def _answer(self, ns: int, kind: str, order: Record, price: int, units: int, maker: bool, exch_ns: int) -> None:
        self.now = ns
        desk, closed = self.desk, False
        if kind == "acked":
            order.status = Status.NEW
        elif kind == "filled":
            order.filled += units
            desk.position += order.side * units
            closed = order.filled == order.units
            order.status = Status.FILLED if closed else Status.PARTIALLY_FILLED
            self.fills.append((exch_ns, ns, order.side, price, units, int(maker), order.number))
        elif kind == "refused":
            order.pending = ""
            return
        elif kind in ("amended", "reduced"):
            order.units = order.lots = units
            if kind == "amended":
                order.pending = ""
        else:
            order.status = {"cancelled": Status.CANCELLED, "expired": Status.EXPIRED, "rejected": Status.REJECTED}[kind]
            closed = True
        if closed:
            desk.open_orders -= 1
            del desk.own[order.number]
        if kind == "filled":
            liquidity = Liquidity.MAKER if maker else Liquidity.TAKER
            fill = Record(
                side=order.side, price_ticks=price, units=units, liquidity=liquidity, exch_ns=exch_ns, recv_ns=ns
            )
            self._call("on_fill", fill, self.view, desk)
        status = Status.PENDING_CANCEL if order.pending == "cancel" and not closed else order.status
        self._call("on_order", self._said(order, status, closed), self.view, desk)

    # ---- the venue's side

    def _say(self, ns: int, kind: str, order: Record, price: int = 0, units: int = 0, maker: bool = False) -> None:
        self.last_told = max(self.last_told, ns + self.response)
        self._push(self.last_told, ANSWER, (kind, order, price, units, maker, ns))

    def _best(self, side: int) -> int | None:
        levels = self.book[side]
        return None if not levels else max(levels) if side > 0 else min(levels)

    def _fill(self, ns: int, order: Record, price: int, units: int, maker: bool) -> None:
        order.left -= units
        order.traded += units
        self.held += order.side * units
        if order.left == 0 and order in self.live:
            self.live.remove(order)
            order.rests = False
        self._say(ns, "filled", order, price, units, maker)

    def _venue_data(self, ns: int, row: Any) -> None:
        side, price, qty = int(row["side"]), int(row["price"]), int(row["qty"])
        if row["kind"] == EventKind.TRADE:
            self._others_trade(ns, side, price, qty)
            return
        before = self.book[side].get(price, 0)
        if before == qty:
            return
        if qty:
            self.book[side][price] = qty
        else:
            del self.book[side][price]
        for order in self.live:
            if order.side == side and order.price == price:
                order.front = min(order.front, qty)
        self.taken.pop((side, price), None)
        if qty > before:
            self._crossed(ns, side, price, qty - before)

    def _crossed(self, ns: int, side: int, best: int, qty: int) -> None:
        hit = [o for o in self.live if o.side == -side and (best - o.price) * side >= 0]
        if self.partial:
            hit.sort(key=lambda o: o.price * side)
        for order in hit:
            take = min(qty, order.left) if self.partial else order.left
            if take > 0:
                qty -= take
                if self.partial:
                    self.taken[side, best] = self.taken.get((side, best), 0) + take
                self._fill(ns, order, order.price, take, True)

    def _others_trade(self, ns: int, side: int, price: int, qty: int) -> None:
        mine = [o for o in self.live if o.side == -side]
        through = [o for o in mine if (price - o.price) * side > 0]
        if self.partial:
            through.sort(key=lambda o: o.price * side)
        used = 0
        if not self.partial:
            for order in list(self.live):
                if order in through:
                    self._fill(ns, order, order.price, order.left, True)
                elif order.side == -side and order.price == price and self._past(order, qty) > 0:
                    self._fill(ns, order, price, order.left, True)
            return
        for order in through:
            take = min(qty - used, order.left)
            if take > 0:
                used += take
                self._fill(ns, order, order.price, take, True)
        for order in mine:
            if (order.price == price and used < qty) or order.price == price:
                past = self._past(order, qty)
                take = min(past - used, order.left)
                if take > 0:
                    used += take
                    self._fill(ns, order, price, take, True)

    @staticmethod
    def _past(order: Record, qty: int) -> int:
        past, order.front = max(0, qty - order.front), max(0, order.front - qty)
        return past

    def _arrive(self, ns: int, kind: str, order: Record, *rest: Any) -> None:
        if kind == "place":
            self._accept(ns, order)
        elif kind == "cancel":
            if order.rests:
                self.live.remove(order)
                order.rests = False
                self._say(ns, "cancelled", order)
            elif order.number in self.desk.own:
                self._say(ns, "refused", order)
        elif kind == "amend":
            if order.rests and order.traded < rest[0] < order.traded + order.left:
                order.left = rest[0] - order.traded
                self._say(ns, "amended", order, 0, rest[0])
            elif order.number in self.desk.own:
                self._say(ns, "refused", order)
        else:
            new, joint = rest
            if order.rests and (not joint or order.traded == 0):
                self.live.remove(order)
                order.rests = False
                self._say(ns, "cancelled", order)
                self._accept(ns, new)
            else:
                if order.number in self.desk.own:
                    self._say(ns, "refused", order)
                self._say(ns, "rejected", new)

    def _accept(self, ns: int, order: Record) -> None:
        side, best = order.side, self._best(-order.side)
        resting = sum(o.left for o in self.live if o.side < 0)
        if order.units <= 0 or order.price <= 0 or (side < 0 and order.units > self.held - resting):
            self._say(ns, "rejected", order)
            return
        crosses = best is not None and (order.price - best) * side >= 0
        own = [o for o in self.live if o.side == -side and (order.price - o.price) * side >= 0]
        if order.post_only and (crosses or (own and self.partial)):
            self._say(ns, "rejected", order)
            return
        self._say(ns, "acked", order)
        if not self.partial:
            if crosses:
                self._fill(ns, order, best, order.left, False)
            elif order.ioc:
                self._say(ns, "expired", order)
            else:
                self._rest(order)
            return
        if self._take(ns, order):
            return
        if order.ioc:
            self._say(ns, "expired", order)
        else:
            self._rest(order)

    def _rest(self, order: Record) -> None:
        order.front = self.book[order.side].get(order.price, 0)
        order.rests = True
        self.live.append(order)

    def _take_off(self, ns: int, order: Record, units: int) -> None:
        order.left -= units
        if order.left:
            self._say(ns, "reduced", order, 0, order.traded + order.left)
            return
        if order in self.live:
            self.live.remove(order)
            order.rests = False
        self._say(ns, "expired", order)

    def _take(self, ns: int, order: Record) -> bool:
        side = order.side
        prices = sorted((p for p in self.book[-side] if (order.price - p) * side >= 0), reverse=side < 0)
        for price in [*prices, None]:
            limit = order.price if price is None else price - side  # at the same price, ours come last
            met = [o for o in self.live if o.side == -side and (limit - o.price) * side >= 0]
            for other in sorted(met, key=lambda o: o.price * side):
                if self.self_trade == "none":
                    continue
                if self.self_trade == "decrement":
                    both = min(order.left, other.left)
                    self._take_off(ns, other, both)
                    self._take_off(ns, order, both)
                    if order.left == 0:
                        return True
                    continue
                if self.self_trade != "taker":
                    self.live.remove(other)
                    other.rests = False
                    self._say(ns, "expired", other)
                if self.self_trade != "maker":
                    self._say(ns, "expired", order)
                    return True
            if price is None:
                return False
            take = min(self.book[-side][price] - self.taken.get((-side, price), 0), order.left)
            if take > 0:
                self.taken[-side, price] = self.taken.get((-side, price), 0) + take
                self._fill(ns, order, price, take, False)
                if order.left == 0:
                    return True
        return False
