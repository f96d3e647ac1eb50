"""From the draft of an order to the order: what a pair's rules allow (docs.kraken.com, "Add Order")."""

from __future__ import annotations

from bloor.errors import MoneyError
from bloor.model.decimals import decimals_of, parse_units
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.simulation.account import ATOM_DECIMALS, quote_atoms
from bloor.simulation.exchange import AccountOrder, Exchange, Market
from bloor.simulation.orders import opposite
from bloor_kraken.simulated.drafts import Draft, check_deadline, plain_number
from bloor_kraken.simulated.errors import ApiError, Text, invalid
from bloor_kraken.simulated.names import pair_names
from bloor_kraken.simulated.words import ORDER_TYPES, SELF_TRADE_MODES, SIDES, TIMES_IN_FORCE, Kind

__all__ = ["build_order", "parse_price", "parse_qty"]

#: A good-till-date order lives at least so long, and at most so long.
_SHORTEST_NS, _LONGEST_NS = 5_000_000_000, 31 * 86_400_000_000_000


def build_order(draft: Draft, exchange: Exchange, account: int, now_ns: int) -> AccountOrder:
    """A new order. Raises ApiError."""
    qty_name, price_name, trigger_name, side_name, type_name = draft.names
    check_deadline(draft.deadline_ns, now_ns)
    if draft.side not in SIDES:
        raise invalid(side_name)
    if draft.type not in ORDER_TYPES:
        raise invalid(type_name)
    if draft.self_trade not in SELF_TRADE_MODES:
        raise invalid("stp_type")
    market, side, kind = draft.market, SIDES[draft.side], ORDER_TYPES[draft.type]
    limit = kind.type is OrderType.LIMIT
    if (draft.price is not None) is not limit:
        raise invalid(price_name)
    if (draft.trigger is not None) is not kind.stops:
        raise invalid(trigger_name)
    if draft.post_only and draft.type != "limit":
        raise invalid("post_only")
    tif = _time_in_force(draft, kind, now_ns)
    price = parse_price(draft.price, market.instrument, price_name) if draft.price is not None else 0
    stop = parse_price(draft.trigger, market.instrument, trigger_name) if draft.trigger is not None else 0
    units = _units(draft, market, side, qty_name)
    check_size(market.instrument, price or stop or _touch(market, side), units)
    return AccountOrder(
        id=exchange.next_order_id(),
        owner=account,
        market=market,
        side=side,
        price=price,
        units=units,
        type=OrderType.POST_ONLY if draft.post_only else kind.type,
        tif=tif,
        self_trade=SELF_TRADE_MODES[draft.self_trade],
        client_id=draft.client_id,
        stop=stop,
        rises=(side is Side.BUY) is not kind.takes_profit,
        style={
            "type": draft.type,
            "tif": draft.tif,
            "userref": str(draft.reference),
            "cost": draft.cost or "",
            "expires": str(draft.expires_ns),
            "reason": "",
        },
    )


def check_size(instrument: Instrument, ticks: int, units: int) -> None:
    """Refuses what is below ``ordermin`` or ``costmin``."""
    if units < instrument.min_lots * instrument.lot_units:
        raise ApiError(Text.VOLUME_MINIMUM)
    if ticks and instrument.price(ticks) * instrument.qty(units) < instrument.min_notional:
        raise ApiError(Text.COST_MINIMUM)


def parse_price(text: str, instrument: Instrument, argument: str) -> int:
    """A price as ticks. Raises ApiError: no number, more decimals than the pair's, or not on its steps."""
    text = plain_number(text, argument)
    if decimals_of(text) > instrument.price_decimals:
        name = pair_names(instrument).symbol
        raise ApiError(
            f"EOrder:Invalid price:{name} price can only be specified up to {instrument.price_decimals} decimals."
        )
    try:
        units = parse_units(text, instrument.price_decimals)
    except MoneyError:
        raise invalid(argument) from None
    ticks, rest = divmod(units, instrument.tick_units)
    if rest:
        raise ApiError(Text.TICK_SIZE)
    if not ticks:
        raise invalid(argument)
    return ticks


def parse_qty(text: str, instrument: Instrument, argument: str) -> int:
    """A quantity as units. Raises ApiError: no number, or more decimals than the pair's."""
    try:
        units = parse_units(plain_number(text, argument), instrument.qty_decimals)
    except MoneyError:
        raise invalid(argument) from None
    if not units or units % instrument.lot_units:
        raise invalid(argument)
    return units


def _time_in_force(draft: Draft, kind: Kind, now_ns: int) -> TimeInForce:
    tif = TIMES_IN_FORCE.get(draft.tif)
    if tif is None or (draft.tif in ("ioc", "fok") and (kind.stops or draft.post_only)):
        raise invalid("time_in_force")
    if (draft.tif == "gtd") is not bool(draft.expires_ns):
        raise invalid("expire_time")
    if draft.expires_ns and not _SHORTEST_NS <= draft.expires_ns - now_ns <= _LONGEST_NS:
        raise invalid("expire_time")
    return tif


def _units(draft: Draft, market: Market, side: Side, argument: str) -> int:
    if draft.cost is None:
        if draft.qty is None:
            raise invalid(argument)
        return parse_qty(draft.qty, market.instrument, argument)
    if draft.qty is not None or draft.type != "market" or side is not Side.BUY:
        raise invalid("viqc")
    try:
        atoms = parse_units(plain_number(draft.cost, argument), 8) * 10 ** (ATOM_DECIMALS - 8)
    except MoneyError:
        raise invalid(argument) from None
    units = _units_for(atoms, market, side)
    if not units:
        raise ApiError(Text.VOLUME_MINIMUM)
    return units


def _units_for(atoms: int, market: Market, side: Side) -> int:
    """How much a value trades in the book as it is."""
    instrument, left, units = market.instrument, atoms, 0
    for level in market.book.side(opposite(side)).best_first():
        part = min(level.units, left // quote_atoms(instrument, level.price, 1))
        units += part
        left -= quote_atoms(instrument, level.price, part)
        if part < level.units:
            break
    return units // instrument.lot_units * instrument.lot_units


def _touch(market: Market, side: Side) -> int:
    best = market.book.side(opposite(side)).best
    return best.price if best is not None else 0
