"""What can be asked about an account over a venue's REST interface, before it is traded on. Sans I/O.

An :class:`AccountInterface` words requests and reads their answers; whoever holds the connection sends them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Generic, NamedTuple, Protocol, TypeVar

from attrs import field, frozen

from bloor.model.orders import OrderRequest
from bloor.venue.session import Request

__all__ = ["AccountInterface", "AccountState", "AssetBalance", "DeadMan", "KeyRights", "OpenOrder", "Question"]

T_co = TypeVar("T_co", covariant=True)


@frozen(kw_only=True)
class Question(Generic[T_co]):
    """One signed request, and how its answer is read.

    Attributes:
        request: The request.
        read: ``(status, body) -> answer``; raises RemoteProtocolError with the venue's words.
        again: ``(status, body) -> question``: what to ask instead, once, where the venue refused this one for something
            that is mended by now, as a number that another process was ahead of; None of any other answer.
    """

    request: Request
    read: Callable[[int, bytes], T_co] = field(repr=False)
    again: Callable[[int, bytes], Question[T_co] | None] | None = field(default=None, repr=False)


class KeyRights(NamedTuple):
    """What a key may do; None where the venue does not say.

    Attributes:
        trade: Place and cancel orders.
        withdraw: Take funds out. A trading key should not.
        limited_to_addresses: Used from some addresses only.
    """

    trade: bool | None
    withdraw: bool | None
    limited_to_addresses: bool | None = None


class AssetBalance(NamedTuple):
    """What an account holds of an asset."""

    free: Decimal
    locked: Decimal


class AccountState(NamedTuple):
    """An account as the venue sees it.

    Attributes:
        may_trade: Whether the account, whatever the key, may trade.
        balances: By asset, without those that are zero.
    """

    may_trade: bool
    balances: Mapping[str, AssetBalance]


class OpenOrder(NamedTuple):
    """An order that rests at the venue, whoever placed it; quantities and price are the venue's texts."""

    client_id: str
    venue_order_id: str
    venue_symbol: str
    side: str
    price: str
    qty: str
    filled: str


class DeadMan(NamedTuple):
    """What a venue does about open orders when we fall silent.

    Attributes:
        supported: Whether it has anything of the kind.
        text: What, and what that means, in one sentence.
    """

    supported: bool
    text: str


class AccountInterface(Protocol):
    """What a venue's plug-in makes for one account; times are the venue's, wall ns since the epoch."""

    def rights(self, now_ns: int) -> Question[KeyRights]:
        """What the key may do."""

    def state(self, now_ns: int) -> Question[AccountState]:
        """Balances."""

    def open_orders(self, now_ns: int) -> Question[Sequence[OpenOrder]]:
        """Every open order of the account, in every instrument."""

    def cancel(self, order: OpenOrder, now_ns: int) -> Question[bool]:
        """Cancels an open order; the answer is False when it was not open any more."""

    def test_order(self, order: OrderRequest, now_ns: int) -> Question[None]:
        """Asks whether an order would be accepted, without placing it."""
