"""An account's order as this exchange knows it."""

from __future__ import annotations

from typing import NamedTuple

from attrs import define, field

from bloor.model.orders import Side
from bloor.simulation.account_orders import AccountOrder
from bloor.simulation.orders import OrderState
from bloor_coinbase.simulated.configuration import Configuration
from bloor_coinbase.simulated.listing import Product

__all__ = ["CoinbaseOrder", "Edit"]


class Edit(NamedTuple):
    """One change of an order: what it asked for, and when it was made."""

    price: str
    size: str
    ns: int


@define(eq=False, kw_only=True)
class CoinbaseOrder(AccountOrder):
    """An order, which may be in a second name of its book and is then paid from another wallet.

    Attributes:
        uuid: Its ``order_id``.
        product: What it was sent to.
        configuration: What it was sent with.
        limit: Its limit price as text; an edit changes it.
        size: Its size as text, in the asset that it was given in; an edit changes it.
        edits: Its changes, oldest first.
        cancel_message: Why it was cancelled.
    """

    uuid: str
    product: Product
    configuration: Configuration
    limit: str
    size: str
    edits: list[Edit] = field(factory=list)
    cancel_message: str = ""

    @property
    def pay_asset(self) -> str:
        """The asset it pays with."""
        return self.product.quote if self.side is Side.BUY else self.product.base

    @property
    def receive_asset(self) -> str:
        """The asset it receives."""
        return self.product.base if self.side is Side.BUY else self.product.quote

    @property
    def open(self) -> bool:
        """Whether it rests or waits."""
        return self.status is OrderState.OPEN

    @property
    def fees(self) -> int:
        """Commissions so far, in atoms of the quote asset."""
        return sum(fill.fee for fill in self.fills)
