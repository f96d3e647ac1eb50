"""The private channels ``executions`` and ``balances``: who listens, and what waits to be sent.

What happens is worded at the moment it happens, since it shows the state as of then, and waits here until the request
that caused it is answered. Every subscription numbers its messages from 1; a message that an injected fault has is
numbered all the same, so that the hole shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from attrs import define

from bloor.model.orders import Side
from bloor.simulation.account import Account, base_atoms
from bloor.simulation.exchange import AccountEvent, AccountFill, AccountOrder, Exchange
from bloor.simulation.faults import Fault, Faults
from bloor.simulation.venue import Outbox
from bloor_kraken.simulated.executions import Executions, status_text
from bloor_kraken.simulated.ids import Ids
from bloor_kraken.simulated.words import amount_text, bare, rfc3339

__all__ = ["PrivateStream", "PrivateSubscription"]

#: Fills in a snapshot.
_SNAPSHOT_TRADES = 50
#: What is told without ``order_status``: that orders open and close, and trades.
_ESSENTIAL = ("new", "filled", "canceled", "expired", "trade")


@define(eq=False)
class PrivateSubscription:
    """One connection's subscription to one private channel.

    Attributes:
        conn: The connection.
        channel: ``executions`` or ``balances``.
        account: Whose.
        everything: For executions: every step of an order's life, not only that it opens and closes.
        counted: For executions: whether the trading counter is told.
        sequence: Number of the latest message.
    """

    conn: int
    channel: str
    account: int
    everything: bool = True
    counted: bool = False
    sequence: int = 0

    def message(self, kind: str, rows: list[dict[str, Any]]) -> bytes:
        """The next message."""
        self.sequence += 1
        return orjson.dumps({"channel": self.channel, "type": kind, "data": rows, "sequence": self.sequence})


class PrivateStream:
    """Subscriptions and what waits to be sent to them.

    Args:
        outbox: The way out.
        ids: Makes ids.
        faults: What messages may meet.
        exchange: Finds accounts and orders.
        counter: Tells the trading counter of a symbol at a time.
    """

    def __init__(
        self,
        outbox: Outbox,
        ids: Ids,
        faults: Faults,
        exchange: Callable[[], Exchange],
        counter: Callable[[str, int], float],
    ) -> None:
        self._outbox = outbox
        self._ids = ids
        self._faults = faults
        self._exchange = exchange
        self._counter = counter
        self.executions = Executions(ids)
        self._subscriptions: list[PrivateSubscription] = []
        self._waiting: list[tuple[int, bytes]] = []

    def find(self, conn: int, channel: str) -> PrivateSubscription | None:
        """A connection's subscription to a channel."""
        return next((s for s in self._subscriptions if (s.conn, s.channel) == (conn, channel)), None)

    def listens(self, conn: int) -> bool:
        """Whether a connection has any private subscription."""
        return any(subscription.conn == conn for subscription in self._subscriptions)

    def subscribe(self, subscription: PrivateSubscription) -> None:
        """Adds a subscription."""
        self._subscriptions.append(subscription)

    def unsubscribe(self, conn: int, channel: str | None = None) -> bool:
        """Ends a connection's subscription to a channel, or all of them; False when there was none."""
        keep = [s for s in self._subscriptions if s.conn != conn or channel not in (None, s.channel)]
        found = len(keep) < len(self._subscriptions)
        self._subscriptions = keep
        return found

    # -- snapshots --------------------------------------------------------------------------------------------------

    def orders_snapshot(self, subscription: PrivateSubscription, *, orders: bool, trades: bool) -> bytes:
        """Open orders and the latest fills."""
        rows: list[dict[str, Any]] = []
        exchange = self._exchange()
        if orders:
            for order in exchange.open_orders(subscription.account):
                status = status_text(order)
                rows.append(self.executions.full(order, "new", status))
        if trades:
            fills = [
                (fill.ns, order, fill)
                for order in exchange.orders.values()
                if order.owner == subscription.account
                for fill in order.fills
            ]
            fills.sort(key=lambda entry: entry[0])
            rows += [self.executions.trade(order, fill) for _, order, fill in fills[-_SNAPSHOT_TRADES:]]
        return subscription.message("snapshot", rows)

    def balances_snapshot(self, subscription: PrivateSubscription) -> bytes:
        """Every asset of the account."""
        account = self._exchange().accounts[subscription.account]
        rows = []
        for asset, balance in account.balances.items():
            amount = bare(amount_text(balance.total, 4))
            wallet = {"type": "spot", "id": "main", "balance": amount}
            rows.append({"asset": asset, "asset_class": "currency", "balance": amount, "wallets": [wallet]})
        return subscription.message("snapshot", rows)

    # -- what happens -----------------------------------------------------------------------------------------------

    def tell(self, event: AccountEvent) -> None:
        """Words an event for everybody who listens."""
        order = event.order
        executions = [s for s in self._subscriptions if s.channel == "executions" and s.account == order.owner]
        balances = [s for s in self._subscriptions if s.channel == "balances" and s.account == order.owner]
        if executions:
            for row in self.executions.rows(event):
                self._queue_rows(executions, row, order, event.ns)
        if balances and event.fill is not None:
            account = self._exchange().accounts[balances[0].account]
            rows = self._ledger(account, order, event.fill)
            for subscription in balances:
                for row in rows:
                    self._queue(subscription, [row])

    def tell_post_only(self, order: AccountOrder, ns: int) -> None:
        """A post-only order that would have taken was accepted, and cancelled at once."""
        order.style["reason"] = "Post only order"
        executions = [s for s in self._subscriptions if s.channel == "executions" and s.account == order.owner]
        reason = {"cancel_reason": order.style["reason"], "reason": order.style["reason"]}
        for row in (
            self.executions.full(order, "pending_new", "pending_new"),
            self.executions.totals(order, "canceled", ns) | reason,
        ):
            self._queue_rows(executions, row, order, ns)

    def flush(self) -> None:
        """Sends what waits."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for conn, payload in waiting:
                if self._faults.happens(Fault.LOST_REPORT):
                    continue
                self._outbox(conn, payload)
                if self._faults.happens(Fault.DUPLICATE):
                    self._outbox(conn, payload)

    def _queue_rows(
        self, subscriptions: list[PrivateSubscription], row: dict[str, Any], order: AccountOrder, ns: int
    ) -> None:
        for subscription in subscriptions:
            if subscription.everything or row["exec_type"] in _ESSENTIAL:
                told = row
                if subscription.counted:
                    told = {**row, "ratecount": int(self._counter(order.market.instrument.venue_symbol, ns))}
                self._queue(subscription, [told])

    def _queue(self, subscription: PrivateSubscription, rows: list[dict[str, Any]]) -> None:
        self._waiting.append((subscription.conn, subscription.message("update", rows)))

    def _ledger(self, account: Account, order: AccountOrder, fill: AccountFill) -> list[dict[str, Any]]:
        """The two entries of a trade: what is paid and what is received; the fee is in the quote asset's."""
        i = order.market.instrument
        base = base_atoms(i, fill.units)
        sign = 1 if order.side is Side.BUY else -1
        rows = []
        for asset, amount in ((i.base, sign * base), (i.quote, -sign * fill.value)):
            fee = fill.fee if asset == fill.fee_asset else 0
            rows.append(
                {
                    "ledger_id": self._ids.ledger_entry(),
                    "ref_id": self._ids.execution(order, fill),
                    "timestamp": rfc3339(fill.ns),
                    "type": "trade",
                    "asset": asset,
                    "asset_class": "currency",
                    "category": "trade",
                    "wallet_type": "spot",
                    "wallet_id": "main",
                    "amount": bare(amount_text(amount, 4)),
                    "fee": bare(amount_text(fee, 4)),
                    "balance": bare(amount_text(account.balance(asset).total, 4)),
                }
            )
        return rows
