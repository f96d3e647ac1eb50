"""When things happened at the venue of a session: public events, and requests of ours among them.

The public stream of a session is in order, and it contains what became of our own requests. Whoever wants to know what
came first at the venue has to look there, since a clock says less: a venue's stamps are cut to a millisecond, best
prices bear no time at many venues, and of a request it is known only when it was sent and when it was answered.

An event lies between what its own stamp and those of its neighbours leave open, in the order in which events were
received; within that it happened as long before it was received as messages are on their way. Our own orders say how
long that is: an order that rests is seen in the best prices (an *echo*), at the moment at which it is answered. A
request with an echo was carried out at the moment of it; one without, as long before its answer as answers are on their
way.

A trade and the best price that it left are one event, whichever is told first: the trade comes first here, so that it
takes from the front of the queue, and is not taken for a cancelled order.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from attrs import frozen

from bloor.backtesting.atvenue import with_best_prices, without
from bloor.backtesting.byorder import tells_orders
from bloor.backtesting.own import as_trades, without_own
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.stream import Heard, Key, Request, Stream
from bloor.native.memory import Cells

__all__ = ["Moments", "moments"]


@frozen(kw_only=True, eq=False)
class Moments:
    """When things happened at the venue, by our clock.

    Attributes:
        rows: The public events at the venue, best prices among them as messages of the book; without the trades in
            which an order of ours took, and in order-level data without the orders of ours.
        arrived: ``(number of the order, when the request was sent)`` -> when it was carried out.
        traded: Id of a trade in which an order of ours that rested was filled -> when it happened.
    """

    rows: StoredRows
    arrived: Mapping[Key, int]
    traded: Mapping[int, int]

    def latest(self, recv_ns: Cells) -> Cells:
        """When the newest public event that was received by a time happened: of each of some times."""
        pieces = [piece[piece["recv_ns"] > 0] for piece in self.rows.pieces]
        received = np.maximum.accumulate(np.concatenate([piece["recv_ns"] for piece in pieces]))
        happened: Cells = np.concatenate([piece["exch_ns"] for piece in pieces])
        return happened[np.maximum(np.searchsorted(received, recv_ns, side="right") - 1, 0)]


def moments(
    rows: StoredRows,
    heard: Sequence[Heard],
    *,
    way_ns: int,
    offset_ns: int | None = 0,
    own: Collection[int] = (),
    joined: bool = True,
    sent: Sequence[Key] = (),
) -> Moments:
    """Finds out when the events of a session happened.

    Args:
        rows: The stored events, in the order in which they were received.
        heard: The answers to our requests, in the order in which they were received.
        way_ns: How long an answer is on its way.
        offset_ns: What is taken off the venue's times; None where they are those of a recording, and say nothing.
        own: Ids of trades in which an order of ours took.
        joined: Whether a trade and the best price that it left are one event. Who matches orders in a market that is
            driven by messages, as where a recording is played or on paper, takes one after the other; and there no
            order of ours is in the data.
        sent: The requests in the order in which they were sent: none overtook an earlier one, but for those that were
            answered before it can have been there.
    """
    told, by_order = np.concatenate(rows.pieces), joined and tells_orders(rows)
    made = np.zeros(len(told), bool)
    if by_order:  # who tells orders tells them at once
        told = as_trades(told)
    else:
        told, made = with_best_prices(told)
    stream = Stream(told, made, offset_ns, way_ns, joined=joined and not by_order)
    asked: dict[tuple[int, int], list[Heard]] = {}
    for each in heard:
        if each.sent_ns:
            asked.setdefault((each.number, each.sent_ns), []).append(each)
    requests = {key: Request(answers, offset_ns or 0) for key, answers in asked.items()}
    grain = math.gcd(stream.grain, *(each.stamp for each in requests.values() if each.stamp is not None))
    echoes = stream.echoes(requests)
    stream.bound(requests, echoes, grain)
    causes = stream.causes([each for each in heard if each.trade and not each.sent_ns], offset_ns or 0)
    stream.know([*causes, *stream.refusing(requests.values())])
    stream.place(stream.way_ns(requests, echoes))
    arrived = {
        key: request.there_ns(grain, way_ns, int(stream.ns[echoes[key]]) if key in echoes else None)
        for key, request in requests.items()
    }
    for key, there_ns in arrived.items():
        if requests[key].refused and key not in echoes:
            arrived[key] = stream.crossing_ns(requests[key], grain, there_ns)
    newest = 0
    for key in [key for key in sent if key in arrived]:
        if arrived[key] < newest < requests[key].recv_ns and key not in echoes:
            arrived[key] = newest
        newest = max(newest, arrived[key])
    traded = {each.trade: int(stream.ns[row]) for row, each in causes}
    public = stream.ordered()
    if by_order:
        public = without_own(public, stream.numbers(requests, echoes), own)
    return Moments(rows=StoredRows([without(public, own)], rows.window), arrived=arrived, traded=traded)
