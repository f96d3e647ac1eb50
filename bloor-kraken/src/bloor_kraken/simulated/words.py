"""Kraken's words for ours, and numbers and times as Kraken writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import orjson
from attrs import frozen

from bloor.model.decimals import format_units
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.simulation.account import ATOM_DECIMALS
from bloor.simulation.orders import SelfTrade

__all__ = [
    "DISPLAY_DECIMALS",
    "ORDER_TYPES",
    "SELF_TRADE_MODES",
    "SIDES",
    "TIMES_IN_FORCE",
    "Kind",
    "amount_text",
    "average_text",
    "bare",
    "price_text",
    "qty_text",
    "rfc3339",
    "rfc3339_ns",
    "seconds",
    "shortest",
    "word",
]

SIDES = {"buy": Side.BUY, "sell": Side.SELL}


@frozen
class Kind:
    """What an order type is made of.

    Attributes:
        type: How it meets the book.
        stops: Whether it waits for a trigger price.
        takes_profit: Whether it waits for a better price than now, rather than for a worse one.
    """

    type: OrderType
    stops: bool = False
    takes_profit: bool = False


#: What is offered of ``order_type``; iceberg, trailing and settle-position orders are refused.
ORDER_TYPES = {
    "limit": Kind(OrderType.LIMIT),
    "market": Kind(OrderType.MARKET),
    "stop-loss": Kind(OrderType.MARKET, stops=True),
    "stop-loss-limit": Kind(OrderType.LIMIT, stops=True),
    "take-profit": Kind(OrderType.MARKET, stops=True, takes_profit=True),
    "take-profit-limit": Kind(OrderType.LIMIT, stops=True, takes_profit=True),
}
TIMES_IN_FORCE = {"gtc": TimeInForce.GTC, "gtd": TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
SELF_TRADE_MODES = {
    "cancel-newest": SelfTrade.EXPIRE_TAKER,
    "cancel-oldest": SelfTrade.EXPIRE_MAKER,
    "cancel-both": SelfTrade.EXPIRE_BOTH,
}
#: Decimals of money by asset, for people.
DISPLAY_DECIMALS: Mapping[str, int] = {"USD": 2, "EUR": 2, "USDT": 4, "USDC": 4}


def word(side: Side) -> str:
    """``buy`` or ``sell``."""
    return "buy" if side is Side.BUY else "sell"


def bare(text: str) -> orjson.Fragment:
    """A JSON number with exactly these digits."""
    return orjson.Fragment(text.encode())


def price_text(instrument: Instrument, ticks: int) -> str:
    """Ticks with the pair's decimals."""
    return format_units(ticks * instrument.tick_units, instrument.price_decimals)


def qty_text(instrument: Instrument, units: int) -> str:
    """Units with the pair's decimals."""
    return format_units(units, instrument.qty_decimals)


def amount_text(atoms: int, decimals: int = 5) -> str:
    """An amount of an account with ``decimals`` decimals, or more where it has more."""
    sign, atoms = ("-", -atoms) if atoms < 0 else ("", atoms)
    text = format_units(atoms, ATOM_DECIMALS).rstrip("0")
    whole, _, fraction = text.partition(".")
    fraction = fraction.ljust(decimals, "0")
    return sign + (f"{whole}.{fraction}" if fraction else whole)


def average_text(instrument: Instrument, value_atoms: int, units: int) -> str:
    """The average price of what was executed: with the pair's decimals where they do, with five more where not."""
    if not units:
        return price_text(instrument, 0)
    value = Decimal(value_atoms).scaleb(-ATOM_DECIMALS) / Decimal(units).scaleb(-instrument.qty_decimals)
    exact = round(value, instrument.price_decimals)
    return f"{exact if exact == value else round(value, instrument.price_decimals + 5)}"


def shortest(value: Decimal) -> str:
    """A step as the channel ``instrument`` says it: an exponent where it is below 0.0001, as in ``1e-08``."""
    if not value:
        return "0"
    if value < Decimal("0.0001"):
        digits, exponent = f"{value.normalize():e}".split("e")
        return f"{digits}e-{-int(exponent):02d}"
    return f"{value.normalize():f}"


def rfc3339(ns: int) -> str:
    """``2026-08-24T22:21:56.724795Z``."""
    seconds_, rest = divmod(ns // 1_000, 1_000_000)
    return f"{datetime.fromtimestamp(seconds_, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def rfc3339_ns(ns: int) -> str:
    """``2026-08-24T22:21:56.724795123Z``, as orders are stamped."""
    return f"{rfc3339(ns)[:-1]}{ns % 1_000:03d}Z"


def seconds(ns: int, decimals: int = 4) -> orjson.Fragment:
    """Seconds since the epoch as a bare number, as in ``1688583840.8648``."""
    return bare(format_units(ns // 10 ** (9 - decimals), decimals))
