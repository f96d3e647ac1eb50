"""The private stream of an account: ``executionReport`` and ``outboundAccountPosition`` (user-data-stream.md).

Events are worded at the moment they happen, since they show the state as of then, and wait here until the request that
caused them is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from attrs import define

from bloor.simulation.account import Account, format_atoms, quote_atoms
from bloor.simulation.exchange import AccountEvent, AccountEventKind, AccountOrder, Prevention
from bloor.simulation.faults import Fault, Faults
from bloor.simulation.orders import EndReason
from bloor.simulation.venue import Outbox
from bloor_binance.simulated.words import price_text, qty_text, status_text, word

__all__ = ["Subscription", "UserStream"]

_KINDS = {
    AccountEventKind.NEW: "NEW",
    AccountEventKind.TRIGGERED: "NEW",
    AccountEventKind.AMENDED: "REPLACED",
    AccountEventKind.TRADE: "TRADE",
    AccountEventKind.CANCELLED: "CANCELED",
    AccountEventKind.EXPIRED: "EXPIRED",
    AccountEventKind.PREVENTED: "TRADE_PREVENTION",
}
_REASONS = {
    EndReason.IOC_REMAINDER: "UNFILLED_IOC_QUANTITY_EXPIRED",
    EndReason.FOK_UNFILLED: "UNFILLED_FOK_ORDER_EXPIRED",
    EndReason.NO_LIQUIDITY: "INSUFFICIENT_LIQUIDITY",
    EndReason.NO_FUNDS: "REJECTED",
}


@define
class Subscription:
    """One connection's subscription to one account."""

    conn: int
    number: int
    account: int
    unit: int


class UserStream:
    """Subscriptions and what waits to be sent to them.

    Args:
        outbox: The way out.
        account: Finds an account.
        faults: What events may meet.

    Attributes:
        execution_id: Id of the latest event of an order.
    """

    def __init__(self, outbox: Outbox, account: Callable[[int], Account], faults: Faults) -> None:
        self._outbox = outbox
        self._faults = faults
        self._account = account
        self._subscriptions: list[Subscription] = []
        self._waiting: list[tuple[Subscription, bytes]] = []
        self.execution_id = 0

    def subscribe(self, subscription: Subscription) -> None:
        """Adds a subscription."""
        self._subscriptions.append(subscription)

    def unsubscribe(self, conn: int, number: int | None = None) -> bool:
        """Ends one subscription of a connection, or all; False when there was none."""
        keep = [s for s in self._subscriptions if s.conn != conn or number not in (None, s.number)]
        found = len(keep) < len(self._subscriptions)
        self._subscriptions = keep
        return found

    def of(self, conn: int) -> list[Subscription]:
        """The subscriptions of a connection."""
        return [s for s in self._subscriptions if s.conn == conn]

    def tell(self, event: AccountEvent) -> None:
        """Words an event for everybody who listens."""
        self.execution_id += 1
        owner = event.order.owner
        for subscription in self._subscriptions:
            if subscription.account == owner:
                report = execution_report(event, self.execution_id, subscription.unit)
                self._waiting.append((subscription, _wrap(subscription, report)))
                position = account_position(self._account(subscription.account), event, subscription.unit)
                self._waiting.append((subscription, _wrap(subscription, position)))

    def flush(self) -> None:
        """Sends what waits."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for subscription, payload in waiting:
                if self._faults.happens(Fault.LOST_REPORT):
                    continue
                self._outbox(subscription.conn, payload)
                if self._faults.happens(Fault.DUPLICATE):
                    self._outbox(subscription.conn, payload)


def _wrap(subscription: Subscription, event: dict[str, Any]) -> bytes:
    return orjson.dumps({"subscriptionId": subscription.number, "event": event})


def execution_report(event: AccountEvent, execution_id: int, unit: int) -> dict[str, Any]:
    """One step of an order's life."""
    order, fill = event.order, event.fill
    instrument = order.market.instrument
    cancelled = event.kind is AccountEventKind.CANCELLED
    status = status_text(order)
    report: dict[str, Any] = {
        "e": "executionReport",
        "E": event.ns // unit,
        "s": instrument.venue_symbol,
        "c": order.style["cancel"] if cancelled else order.client_id,
        "S": word(order.side),
        "o": order.style["type"],
        "f": word(order.tif),
        "q": qty_text(instrument, order.units),
        "p": price_text(instrument, order.price),
        "P": price_text(instrument, order.stop),
        "F": "0.00000000",
        "g": -1,
        "C": order.client_id if cancelled else event.former_id,
        "x": _KINDS[event.kind],
        "X": status,
        "r": "NONE",
        "i": order.id,
        "l": qty_text(instrument, fill.units) if fill else "0.00000000",
        "z": qty_text(instrument, order.executed),
        "L": price_text(instrument, fill.price) if fill else "0.00000000",
        "n": format_atoms(fill.fee) if fill else "0",
        "N": fill.fee_asset if fill else None,
        "T": event.ns // unit,
        "t": fill.trade_id if fill else -1,
        "I": execution_id,
        "w": status in ("NEW", "PARTIALLY_FILLED") and not order.waiting,
        "m": bool(fill and fill.maker),
        "M": fill is not None,
        "O": order.created_ns // unit,
        "Z": format_atoms(order.value),
        "Y": format_atoms(fill.value) if fill else "0.00000000",
        "Q": order.style["quote"],
        "V": word(order.self_trade),
    }
    if order.working_ns:
        report["W"] = order.working_ns // unit
    for field, name in (("j", "strategyId"), ("J", "strategyType")):
        if order.style[name]:
            report[field] = int(order.style[name])
    if event.kind is AccountEventKind.PREVENTED:
        report |= _prevention(order, order.preventions[-1])
    if event.reason in _REASONS:
        report["eR"] = _REASONS[event.reason]
    return report


def _prevention(order: AccountOrder, prevention: Prevention) -> dict[str, Any]:
    """What a report tells of a match that did not happen (user-data-stream.md, "Conditional fields")."""
    instrument = order.market.instrument
    other = prevention.maker if order is prevention.taker else prevention.taker
    units = prevention.taker_units if order is prevention.taker else prevention.maker_units
    return {
        "v": prevention.number,
        "A": qty_text(instrument, order.prevented),
        "B": qty_text(instrument, units),
        "u": order.owner,
        "U": other.id,
        "Cs": instrument.venue_symbol,
        "pl": qty_text(instrument, units),
        "pL": price_text(instrument, prevention.price),
        "pY": format_atoms(quote_atoms(instrument, prevention.price, units)),
    }


def account_position(account: Account, event: AccountEvent, unit: int) -> dict[str, Any]:
    """The balances that an event may have changed."""
    return {
        "e": "outboundAccountPosition",
        "E": event.ns // unit,
        "u": event.ns // unit,
        "B": [_balance(account, asset) for asset in _assets(event.order)],
    }


def _assets(order: AccountOrder) -> tuple[str, str]:
    return order.market.instrument.base, order.market.instrument.quote


def _balance(account: Account, asset: str) -> dict[str, str]:
    balance = account.balance(asset)
    return {"a": asset, "f": format_atoms(balance.free), "l": format_atoms(balance.locked)}
