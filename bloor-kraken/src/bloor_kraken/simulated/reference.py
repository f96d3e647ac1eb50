"""What is listed, as REST and the channel ``instrument`` say it (docs.kraken.com, "Get Tradable Asset Pairs")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from bloor.model.instrument import Instrument
from bloor.simulation.account import Fees
from bloor.simulation.exchange import Market
from bloor_kraken.simulated.names import pair_names
from bloor_kraken.simulated.words import DISPLAY_DECIMALS, bare, shortest
from bloor_kraken.symbols import classed_asset, old_asset

__all__ = ["asset_pairs", "assets", "instrument_frame", "pair_entry", "percent"]

#: Decimals of an amount of an asset.
_MONEY_DECIMALS, _COIN_DECIMALS = {"USD": 4, "EUR": 4}, 10


def percent(ppm: int) -> Decimal:
    """A rate in millionths as percent."""
    return Decimal(ppm).scaleb(-4).normalize()


def assets(markets: Iterable[Market]) -> dict[str, Any]:
    """``Assets``: by the key that balances have."""
    return {classed_asset(name): _asset_entry(name) for name in _names(markets)}


def asset_pairs(markets: Iterable[Market], fees: Fees) -> dict[str, Any]:
    """``AssetPairs``."""
    return {pair_names(market.instrument).key: pair_entry(market.instrument, fees) for market in markets}


def pair_entry(instrument: Instrument, fees: Fees) -> dict[str, Any]:
    """One pair."""
    names = pair_names(instrument)
    return {
        "altname": names.altname,
        "wsname": names.wsname,
        "aclass_base": "currency",
        "base": names.base,
        "aclass_quote": "currency",
        "quote": names.quote,
        "lot": "unit",
        "cost_decimals": _decimals(instrument.quote) + 1,
        "pair_decimals": instrument.price_decimals,
        "lot_decimals": instrument.qty_decimals,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, bare(f"{percent(fees.taker_ppm):f}")]],
        "fees_maker": [[0, bare(f"{percent(fees.maker_ppm):f}")]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": _plain(_smallest(instrument)),
        "costmin": _plain(instrument.min_notional),
        "tick_size": _plain(instrument.tick_size),
        "status": "online" if instrument.trading else "cancel_only",
    }


def instrument_frame(markets: Sequence[Market]) -> dict[str, Any]:
    """The snapshot of the channel ``instrument``; small steps have exponents, as Kraken's have."""
    pairs = [_pair_row(market.instrument) for market in markets]
    rows = [
        {
            "id": name,
            "status": "enabled",
            "precision": _decimals(name),
            "precision_display": DISPLAY_DECIMALS.get(name, 5),
            "borrowable": False,
            "collateral_value": bare("1.00"),
            "margin_rate": bare("0.0"),
        }
        for name in _names(markets)
    ]
    return {"channel": "instrument", "type": "snapshot", "data": {"assets": rows, "pairs": pairs}}


def _pair_row(instrument: Instrument) -> dict[str, Any]:
    return {
        "symbol": instrument.venue_symbol,
        "base": instrument.base,
        "quote": instrument.quote,
        "status": "online" if instrument.trading else "cancel_only",
        "qty_precision": instrument.qty_decimals,
        "qty_increment": bare(shortest(instrument.lot_size)),
        "price_precision": instrument.price_decimals,
        "price_increment": bare(shortest(instrument.tick_size)),
        "cost_precision": _decimals(instrument.quote) + 1,
        "cost_min": bare(shortest(instrument.min_notional)),
        "qty_min": bare(shortest(_smallest(instrument))),
        "marginable": False,
        "has_index": False,
        "tick_size": bare(shortest(instrument.tick_size)),
    }


def _asset_entry(name: str) -> dict[str, Any]:
    return {
        "aclass": "currency",
        "altname": old_asset(name),
        "decimals": _decimals(name),
        "display_decimals": DISPLAY_DECIMALS.get(name, 5),
        "status": "enabled",
    }


def _names(markets: Iterable[Market]) -> list[str]:
    """Every asset, once."""
    names: dict[str, None] = {}
    for market in markets:
        names[market.instrument.base] = names[market.instrument.quote] = None
    return list(names)


def _decimals(asset: str) -> int:
    return _MONEY_DECIMALS.get(asset, _COIN_DECIMALS)


def _smallest(instrument: Instrument) -> Decimal:
    return instrument.qty(instrument.min_lots * instrument.lot_units)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
