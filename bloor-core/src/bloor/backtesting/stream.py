"""The public events of a session, and what is known of their times (:mod:`bloor.backtesting.moments`)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np
from attrs import frozen

from bloor.backtesting.atvenue import BBO, BOOK, FARTHEST_NS, LEVEL, TRADES, trade_ids
from bloor.backtesting.withdrawn import withdrawn
from bloor.market.events import NO_PRICE, Flag
from bloor.native.memory import Cells
from bloor.storage.cells import Records

__all__ = ["Heard", "Key", "Request", "Stream"]

MS = 1_000_000
#: Stamps that are cut less than this need no neighbours, which may have been gathered for longer.
_FINE_NS = MS // 2
#: How long after its answer an order is looked for in the public stream.
_ECHO_NS = 250 * MS
#: How much later than a fill the public event that it came of is received.
_LATE_NS = 5 * MS
#: A best price that bears a time so little later than a trade tells what the trade left.
_TOGETHER_NS = 10_000
#: Number of the order, and when the request was sent.
Key = tuple[int, int]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
_HELD = int(Flag.UNSEEN | Flag.BUFFERED | Flag.SNAPSHOT)
_EARLIEST, _LATEST = -(1 << 62), 1 << 62


@frozen(kw_only=True)
class Heard:
    """An answer of the venue, as far as its time goes.

    Attributes:
        number: Of the order.
        sent_ns: When the request that it answers was decided on; 0 of a fill that nobody asked for at that moment.
        recv_ns: When it was received.
        exch_ns: The venue's time; 0 where it said none.
        side: Of the order, +1 buy.
        price: Of the order, in ticks.
        change: What it made of the level of the order, units: more where the order began to rest, less where it was
            taken out.
        trade: Id of the trade; 0 of what is none.
        units: How much was traded.
        refused: Whether an order that must not take was, as the other side's best price was at its own or beyond.
    """

    number: int
    sent_ns: int
    recv_ns: int
    exch_ns: int = 0
    side: int = 0
    price: int = 0
    change: int = 0
    trade: int = 0
    units: int = 0
    refused: bool = False


class Request:
    """A request, and what the venue answered first."""

    def __init__(self, answers: Sequence[Heard], offset_ns: int) -> None:
        self.first = answers[0]
        self.sent_ns, self.recv_ns = self.first.sent_ns, self.first.recv_ns
        self.trades = [each.trade for each in answers if each.trade]
        self.took = [(each.exch_ns, each.units) for each in answers if each.units and not each.trade and each.exch_ns]
        self.refused = any(each.refused for each in answers)
        stamps = [each.exch_ns - offset_ns for each in answers if each.exch_ns]
        self.stamp = next((each for each in stamps if abs(self.recv_ns - each) < FARTHEST_NS), None)

    def between(self, grain: int) -> tuple[int, int]:
        """Between what times it was carried out."""
        low, high = self.sent_ns + 1, self.recv_ns - 1
        if self.stamp is not None and self.stamp <= high and self.stamp + grain > low:
            low, high = max(low, self.stamp), min(high, self.stamp + grain - 1)
        return low, max(low, high)

    def there_ns(self, grain: int, way_ns: int, echo_ns: int | None) -> int:
        """When it was carried out: right before its echo, else as long before the answer as answers take."""
        low, high = self.between(grain)
        if echo_ns is not None:
            return max(self.sent_ns + 1, min(echo_ns - 1, self.recv_ns - 1))
        there_ns = max(self.recv_ns - way_ns, low)
        if self.stamp is not None and grain < _FINE_NS:
            return min(there_ns, high)
        # what is missed by less than a way is how ways differ, and public news took as much longer
        return there_ns if there_ns <= high + way_ns else high


class Stream:
    """The public events, and what is known of their times.

    Attributes:
        ns: When each row happened.
        grain: How finely the venue's stamps are cut.
    """

    def __init__(self, rows: Records, made: Flags, offset_ns: int | None, way_ns: int, *, joined: bool) -> None:
        self._rows, self._made, self._way_ns, self._joined = rows, made, way_ns, joined
        kind, recv, said = rows["kind"], rows["recv_ns"], rows["exch_ns"]
        self._told = np.isin(kind, (*TRADES, BBO, BOOK)) & (recv > 0) & (rows["flags"] & _HELD == 0)
        if offset_ns is None:
            self._stamped = np.zeros(len(rows), bool)
            self.ns = np.maximum(recv - way_ns, 0)
        else:
            self._stamped = self._told & (said > 0)
            self.ns = np.where(said > 0, said - offset_ns, 0)
        self._low = np.where(self._stamped, self.ns, _EARLIEST)
        self._high = np.full(len(rows), _LATEST)
        self.grain = math.gcd(MS, int(np.gcd.reduce(said[self._stamped]))) if self._stamped.any() else MS
        self._newest = np.full(len(rows), _LATEST)

    def way_ns(self, requests: Mapping[Key, Request], echoes: Mapping[Key, int]) -> int:
        """How long a public event is on its way: by our own orders, else by the stamps, else as an answer."""
        recv = self._rows["recv_ns"]
        later = [int(recv[row]) - requests[key].recv_ns for key, row in echoes.items() if self._made[row]]
        if later:
            return max(1, self._way_ns + int(np.median(later)))
        ways = (recv - self.ns)[self._stamped]
        return max(int(ways.min()), int(np.median(ways)) - self.grain // 2) if len(ways) else self._way_ns

    def echoes(self, requests: Mapping[Key, Request]) -> dict[Key, int]:
        """Where requests are seen: the trade in which one took, or the first best price that it made change.

        Where stamps are fine, a change of the book will do: it says when, however late it is told.
        """
        rows = self._rows
        trades, alike = self._trades, self._alike
        level = np.flatnonzero(rows["kind"] == LEVEL)
        side, price = (rows[name][level].astype(np.int64) for name in ("side", "price"))
        order = np.lexsort((level, price, side))
        level, side, price = level[order], side[order], price[order]
        head, more = self._heads[level], self._more[level]
        starts = np.flatnonzero((np.diff(side, prepend=0) != 0) | (np.diff(price, prepend=-1) != 0)).tolist()
        ends = [*starts[1:], len(level)]
        places = {(int(side[i]), int(price[i])): slice(i, end) for i, end in zip(starts, ends, strict=True)}
        found: dict[Key, int] = {}
        for key, request in requests.items():
            first = request.first
            took = [trades[trade] for trade in request.trades if trade in trades]
            took += [alike[each] for each in request.took if each in alike]
            if took:
                found[key] = min(took)
            elif first.change and (mine := places.get((first.side, first.price))) is not None:
                recv = rows["recv_ns"][head[mine]]
                here = (recv > request.sent_ns) & (recv <= request.recv_ns + _ECHO_NS)
                here &= (more[mine] == first.change) & (self._made[head[mine]] | (self.grain < _FINE_NS))
                if here.any():
                    found[key] = int(head[mine][np.argmax(here)])
        return found

    def numbers(self, requests: Mapping[Key, Request], echoes: Mapping[Key, int]) -> set[int]:
        """The numbers that orders of ours have in order-level data: of those that are seen to begin to rest."""
        rows, found = self._rows, set()
        for key, head in echoes.items():
            first = requests[key].first
            row = head + 1
            while row < len(rows) and rows["kind"][row] == LEVEL:
                change = rows["side"][row], rows["price"][row], self._more[row]
                if first.change > 0 and change == (first.side, first.price, first.change):
                    found.add(int(rows["price2"][row]))
                row += 1
        return found - {0}

    def bound(self, requests: Mapping[Key, Request], echoes: Mapping[Key, int], grain: int) -> None:
        """Notes between what times events lie: by their stamps, and echoes by the request and its answer."""
        self._high[self._stamped] = self._low[self._stamped] + grain - 1
        for key, row in echoes.items():
            low, high = requests[key].between(grain)
            low, high = max(low + 1, int(self._low[row])), min(high, int(self._high[row]))
            if low <= high:
                self._low[row], self._high[row] = low, high
            self._newest[row] = min(requests[key].recv_ns - self._way_ns, int(self._newest[row]))
        for row, last in self._linked:
            self._low[row] = max(int(self._low[row]), int(self._low[row + 1 : last + 1].max()))

    def crossing_ns(self, request: Request, grain: int, there_ns: int) -> int:
        """The time next to ``there_ns`` at which an order that was refused would have taken.

        Args:
            request: The request to place it.
            grain: How finely the venue's stamps are cut.
            there_ns: When it was carried out by what else is known.
        """
        low, high = request.between(grain)
        ns = np.maximum.accumulate(self.ns[self._best_rows])
        begin, end = np.searchsorted(ns, (low, high), side="right").tolist()
        crosses = self._crosses(request.first, slice(max(begin - 1, 0), end))
        froms = np.concatenate([[low], ns[begin:end] + 1])[-len(crosses) :]
        untils = np.concatenate([ns[begin:end] - 1, [high]])[-len(crosses) :]
        right = crosses & (froms <= untils)
        if not right.any():
            return there_ns
        nearest = np.clip(there_ns, froms[right], untils[right])
        return int(nearest[np.argmin(np.abs(nearest - there_ns))])

    @cached_property
    def _best_rows(self) -> Cells:
        """The rows that tell best prices: heads of messages of the book."""
        return np.flatnonzero((self._rows["kind"] == BOOK) & self._told)

    def causes(self, fills: Sequence[Heard], offset_ns: int) -> list[tuple[int, Heard]]:
        """The public event that each fill of an order that rested came of, where it is found: ``(row, fill)``.

        That is its trade. Where a recording is played, or paper is traded on, fills are trades of our own: then it is
        the next trade of as much at the price of the order or beyond, or the next event that is there.
        """
        trades, found, newest = self._trades, [], -1
        rows = self._rows
        trade, best = np.isin(rows["kind"], TRADES), rows["kind"] == BOOK
        reach, sold = np.where(trade, rows["price"], 0), trade & (rows["side"] < 0)
        highest = np.where(best, rows["price"], np.where(sold, -1, reach))
        lowest = np.where(best, rows["price2"], np.where(sold, reach, _LATEST))
        lowest = np.where(lowest == NO_PRICE, _LATEST, lowest)
        received = np.maximum.accumulate(rows["recv_ns"])
        for fill in fills:
            row = trades.get(fill.trade)
            if row is None:
                since = fill.exch_ns - offset_ns if fill.exch_ns else fill.recv_ns - _LATE_NS
                first, end = np.searchsorted(received, (since, fill.recv_ns + _LATE_NS + 1)).tolist()
                mine = slice(max(first, newest + 1), end)
                here = self._told[mine] & (highest[mine] >= fill.price if fill.side < 0 else lowest[mine] <= fill.price)
                as_much = here & (reach[mine] > 0) & (rows["qty"][mine] == fill.units)
                if here.any():
                    newest = mine.start + int(np.argmax(as_much if as_much.any() else here))
                elif newest < 0 or fill.recv_ns - received[newest] > _LATE_NS:
                    continue
                row = newest
            found.append((row, fill))
        return found

    def refusing(self, requests: Iterable[Request]) -> list[tuple[int, Heard]]:
        """The best price that each refused order would have taken, where it is told later: ``(row, answer)``.

        An order that must not take is refused as the other side's best price is at its own or beyond.
        """
        heads = self._best_rows
        received = np.maximum.accumulate(self._rows["recv_ns"][heads])
        found = []
        for first in [request.first for request in requests if request.refused]:
            begin, end = np.searchsorted(received, (first.sent_ns, first.recv_ns + _LATE_NS), side="right").tolist()
            crosses = self._crosses(first, slice(max(begin - 1, 0), end))
            if len(crosses) and not crosses[0] and crosses.any():
                found.append((int(heads[max(begin - 1, 0) + np.argmax(crosses)]), first))
        return found

    def _crosses(self, order: Heard, heads: slice) -> Flags:
        """Whether an order would take, with the best prices of some messages."""
        bid, ask = (self._rows[name][self._best_rows[heads]] for name in ("price", "price2"))
        crosses: Flags = (ask != NO_PRICE) & (ask <= order.price) if order.side > 0 else bid >= order.price
        return crosses

    def know(self, causes: Sequence[tuple[int, Heard]]) -> None:
        """Notes that events happened before the fills that came of them were received."""
        for row, fill in causes:
            self._newest[row] = min(fill.recv_ns - self._way_ns, int(self._newest[row]))

    def place(self, way_ns: int) -> None:
        """Says when each event happened."""
        kind = self._rows["kind"]
        if self.grain < _FINE_NS:
            self._place_by_stamps(way_ns)
        else:
            self._place_as_received(way_ns)
        levels = kind == LEVEL
        self.ns[levels] = self.ns[self._heads[levels]]

    def _place_by_stamps(self, way_ns: int) -> None:
        """What bears a time happened then; what has none, not before anything that was received earlier."""
        told = self._told
        earlier = np.maximum.accumulate(np.where(self._stamped, self.ns, _EARLIEST))
        by_way = np.maximum(np.minimum(self._rows["recv_ns"] - way_ns, self._newest), 0)
        self.ns = np.where(told & ~self._stamped, np.maximum(by_way, earlier), self.ns)
        self.ns[self._made] += 1  # a trade of the same time comes first

    def _place_as_received(self, way_ns: int) -> None:
        """Events happened in the order in which they were received."""
        kind, told = self._rows["kind"], np.flatnonzero(self._told)
        low = np.maximum.accumulate(self._low[told])
        high = np.minimum.accumulate(self._high[told][::-1])[::-1]
        newest = np.minimum.accumulate(self._newest[told][::-1])[::-1]
        ns = np.maximum(np.minimum(np.minimum(self._rows["recv_ns"][told] - way_ns, newest), high), low)
        apart = 4 * np.arange(len(told))  # a request has room between two events
        self.ns[told] = np.maximum.accumulate(np.maximum(ns, 0) - apart) + apart
        self._join_trades(told)
        for row, last in self._linked:
            trades = row + 1 + np.flatnonzero(np.isin(kind[row + 1 : last + 1], TRADES))
            self.ns[trades] = self.ns[row]
            self.ns[row] += 1

    def _join_trades(self, told: Cells) -> None:
        """Trades of one side and stamp, received one after the other, are of one taker: they happened at once."""
        rows = self._rows[told]
        trade = np.isin(rows["kind"], TRADES)
        goes_on = trade[1:] & trade[:-1] & self._stamped[told[1:]] & self._joined
        for name in ("side", "exch_ns"):
            goes_on &= rows[name][1:] == rows[name][:-1]
        first = np.maximum.accumulate(np.where(np.concatenate([[True], ~goes_on]), np.arange(len(told)), 0))
        self.ns[told] = self.ns[told[first]]

    def ordered(self) -> Records:
        """The rows with their times; trades come before the best price that they left, and after what left before."""
        rows, order = self._rows.copy(), np.arange(len(self._rows))
        rows["exch_ns"] = self.ns
        for row, last in self._linked:
            mine = order[row : last + 1]
            first = np.isin(rows["kind"][mine], TRADES)
            order[row : last + 1] = np.concatenate([mine[first], mine[~first]])
        places: list[int] = []
        earlier: list[np.void] = []
        place = np.argsort(order)
        for row, trades in self._events:
            records = withdrawn(rows, row, trades, self._more)
            places += [int(place[row])] * len(records)
            earlier += records
        found: Records = rows[order]
        return np.insert(found, places, np.array(earlier, rows.dtype)) if earlier else found

    @property
    def _events(self) -> list[tuple[int, list[int]]]:
        """Messages of the book, and the trades that left what they tell."""
        if not self._joined:
            return []
        trade = np.isin(self._rows["kind"], TRADES)
        if self.grain >= _FINE_NS:
            return [(row, (row + 1 + np.flatnonzero(trade[row + 1 : last + 1])).tolist()) for row, last in self._linked]
        at: dict[int, list[int]] = {}
        for row in np.flatnonzero(trade & self._stamped).tolist():
            at.setdefault(int(self.ns[row]), []).append(row)
        if not at:
            return []
        times = np.array(sorted(at), np.int64)
        heads = self._best_rows
        newest = np.searchsorted(times, self.ns[heads], side="right") - 1
        apart = self.ns[heads] - times[newest]
        mine = (newest >= 0) & (apart <= np.where(self._made[heads], _TOGETHER_NS, 0))
        return [(row, at[int(times[i])]) for row, i in zip(heads[mine].tolist(), newest[mine].tolist(), strict=True)]

    @cached_property
    def _trades(self) -> dict[int, int]:
        """Where each trade is: its id -> its row."""
        rows = np.flatnonzero(np.isin(self._rows["kind"], TRADES))
        return dict(zip(trade_ids(self._rows[rows]).tolist(), rows.tolist(), strict=True))

    @cached_property
    def _alike(self) -> dict[tuple[int, int], int]:
        """Where the first trade of a time of the venue's and a quantity is, where an account's have other ids."""
        rows = np.flatnonzero(np.isin(self._rows["kind"], TRADES))[::-1]
        told = zip(self._rows["exch_ns"][rows].tolist(), self._rows["qty"][rows].tolist(), strict=True)
        return dict(zip(told, rows.tolist(), strict=True))

    @cached_property
    def _heads(self) -> Cells:
        """The row of the message that each row belongs to."""
        at: Cells = np.maximum.accumulate(np.where(self._rows["kind"] != LEVEL, np.arange(len(self._rows)), 0))
        return at

    @cached_property
    def _linked(self) -> list[tuple[int, int]]:
        """Best prices that trades left: the row of each, and that of the last of the trades that follow it."""
        if self.grain < _FINE_NS or not self._joined:
            return []
        kind, told = self._rows["kind"], np.flatnonzero(self._told)
        trade, found = np.isin(kind[told], TRADES), []
        for place in np.flatnonzero(self._made[told]).tolist():
            last = place
            while last + 1 < len(told) and trade[last + 1]:
                last += 1
            row = int(told[place])
            if last > place and self._explain(row, told[place + 1 : last + 1]):
                found.append((row, int(told[last])))
        return found

    def _explain(self, row: int, trades: Cells) -> bool:
        """Whether trades took what a message says is gone: they were at its prices, and no more than that."""
        kind, price = self._rows["kind"], self._rows["price"]
        gone: dict[int, int] = {}
        row += 1
        while row < len(price) and kind[row] == LEVEL:
            gone[int(price[row])] = -int(self._more[row])
            row += 1
        for trade in trades.tolist():
            at = int(price[trade])
            gone[at] = gone.get(at, 0) - int(self._rows["qty"][trade])
            if gone[at] < 0:
                return False
        return True

    @cached_property
    def _more(self) -> Cells:
        """By how much each row of a level makes it more, units; 0 of other rows."""
        rows = self._rows
        level = np.flatnonzero(rows["kind"] == LEVEL)
        side, price, units = (rows[name][level].astype(np.int64) for name in ("side", "price", "qty"))
        order = np.lexsort((level, price, side))
        same = (np.diff(side[order], prepend=0) == 0) & (np.diff(price[order], prepend=-1) == 0)
        more = np.zeros(len(rows), np.int64)
        more[level[order]] = np.where(same, np.diff(units[order], prepend=0), units[order])
        return more
