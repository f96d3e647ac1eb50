"""Several orders in one request: ``batch_add``, ``batch_cancel``, ``cancel_all`` (sans I/O).

The engine cancels together what it cancels at once; orders it sends one by one, since each is decided by itself. The
rest is for whoever drives a session directly. A batch is validated as a whole: a refusal is of all its orders. Once it
is taken, each order has an answer of its own. What becomes of cancels is said by the private stream. Source:
docs.kraken.com, Spot WebSocket v2, "Batch Add", "Batch Cancel", "Cancel All Orders".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bloor.errors import LocalProtocolError
from bloor.model.orders import CancelRequest, OrderRequest, ReportKind, VenueReport
from bloor_kraken.answers import refused
from bloor_kraken.config import KrakenConfig
from bloor_kraken.conversation import Conversation
from bloor_kraken.dead_man import DeadManSwitch
from bloor_kraken.executions import Executions
from bloor_kraken.order_requests import MOST_BATCH_CANCEL, Operation, Params, batch
from bloor_kraken.private_rest import Answer
from bloor_kraken.rate_counter import RateCounters
from bloor_kraken.refusals import meaning

__all__ = ["Batches"]

_BETWEEN = ","


class Batches:
    """Requests about several orders of one session, over its connection only.

    Args:
        talk: The connection.
        executions: Knows whose orders are whose.
        counters: The trading engine's rate counters.
        config: Deadline, and what is done about self-trades.
        switch: The dead-man switch, which the first order arms.
    """

    def __init__(
        self,
        talk: Conversation,
        executions: Executions,
        counters: RateCounters,
        config: KrakenConfig,
        switch: DeadManSwitch,
    ) -> None:
        self._switch = switch
        self._talk = talk
        self._executions = executions
        self._counters = counters
        self._config = config

    def place(self, orders: Sequence[OrderRequest], now_ns: int) -> bytes:
        """``batch_add`` of 2 to 15 orders in one instrument.

        Raises:
            LocalProtocolError: There is no connection, or they are no such batch.
        """
        deadline_ns = now_ns + self._talk.offset_ns + self._config.order_deadline.ns
        params = batch(orders, self._config.self_trade, deadline_ns)
        out = self._ask(Operation.BATCH_NEW, params, [order.client_id for order in orders], now_ns)
        for order in orders:
            self._executions.placed(order.client_id, order.instrument)
            self._counters[order.instrument.venue_symbol].placed(order.client_id, now_ns)
        self._switch.order_sent(now_ns)
        return out

    def cancel(self, orders: Sequence[CancelRequest], now_ns: int) -> bytes:
        """``batch_cancel`` of 2 to 50 orders, by the venue's ids.

        Raises:
            LocalProtocolError: There is no connection, or they are no such batch.
        """
        ids = [order.venue_order_id for order in orders]
        if not 2 <= len(orders) <= MOST_BATCH_CANCEL or not all(ids):
            raise LocalProtocolError(
                f"batch_cancel: expected 2 to {MOST_BATCH_CANCEL} orders with ids of the venue's, got {len(orders)}, "
                f"{ids.count('')} of them without"
            )
        out = self._ask(Operation.BATCH_CANCEL, {"orders": ids}, [order.client_id for order in orders], now_ns)
        for order in orders:
            self._executions.placed(order.client_id, order.instrument)
            self._counters[order.instrument.venue_symbol].cancelled(order.client_id, now_ns)
        return out

    def cancel_all(self, now_ns: int) -> bytes:
        """``cancel_all``: every open order of the account, whoever placed it.

        Raises:
            LocalProtocolError: There is no connection.
        """
        return self._ask(Operation.CANCEL_ALL, {}, [], now_ns)

    def _ask(self, operation: Operation, params: Params, client_ids: Sequence[str], now_ns: int) -> bytes:
        if not self._talk.is_up:
            raise LocalProtocolError(f"{operation.value.method}: the order connection to kraken is not authenticated")
        tag = operation.value.letter + _BETWEEN.join(client_ids)
        return self._talk.ask(operation.value.method, params, tag, now_ns)

    def read(self, operation: Operation, names: str, answer: Answer) -> list[VenueReport]:
        """What an answer says of each order of a batch."""
        client_ids = names.split(_BETWEEN) if names else []
        if operation is not Operation.BATCH_NEW:
            # which of them it is about nobody knows: each is asked about, and cancelled again if it is found open
            doubted = ReportKind.CANCEL_UNCERTAIN
            words = answer.words if answer.refusal is not None else ""
            return [VenueReport(kind=doubted, client_id=each, reason=words) for each in client_ids] if words else []
        if answer.refusal is not None:
            return [report for each in client_ids for report in refused(Operation.NEW, each, answer)]
        rows = answer.result.get("orders") if isinstance(answer.result, dict) else answer.result
        if not isinstance(rows, list) or len(rows) != len(client_ids):
            uncertain = Answer(None, meaning(""), f"an answer about {len(client_ids)} orders that does not name them")
            return [report for each in client_ids for report in refused(Operation.NEW, each, uncertain)]
        return [report for each, row in zip(client_ids, rows, strict=True) for report in self._one(each, row)]

    def _one(self, client_id: str, row: Any) -> list[VenueReport]:
        """One order of a batch: taken, or refused for want of funds."""
        instrument = self._executions.instrument(client_id)
        order_id = row.get("order_id") if isinstance(row, dict) else None
        if not isinstance(order_id, str) or not order_id or instrument is None:
            words = str(row.get("error", row) if isinstance(row, dict) else row)[:200]
            return refused(Operation.NEW, client_id, Answer(None, meaning(words), words))
        known = VenueReport(
            kind=ReportKind.ACK, client_id=client_id, venue_symbol=instrument.venue_symbol, venue_order_id=order_id
        )
        return [known, *self._executions.bind(order_id, client_id, instrument)]
