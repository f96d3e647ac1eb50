"""What a simulated venue opens with: the default account, and limits that fit the pace of a recording."""

from __future__ import annotations

from collections.abc import Iterable

from bloor.simulation.account import ATOM_DECIMALS, Account, Fees
from bloor.simulation.exchange import Market
from bloor.simulation.venue import SimulationOptions

__all__ = ["ACCOUNT", "limit_scale", "opening_account"]

#: Number of the default account.
ACCOUNT = 1
#: Its balances: at least this many of each base, and this worth of each quote.
_BASE = 10
_QUOTE = 1_000_000
_SPECIAL = {"BTC": 100, "ETH": 1_000}


def opening_account(markets: Iterable[Market], fees: Fees) -> Account:
    """The default account: every asset of every listed pair."""
    account = Account(ACCOUNT, fees)
    amounts: dict[str, int] = {}
    for market in markets:
        base, quote = market.instrument.base, market.instrument.quote
        amounts[base] = max(amounts.get(base, 0), _BASE)
        amounts[quote] = max(amounts.get(quote, 0), _SPECIAL.get(quote, _QUOTE))
    for asset, amount in amounts.items():
        account.deposit(asset, amount * 10**ATOM_DECIMALS)
    return account


def limit_scale(options: SimulationOptions) -> int:
    """How much larger a venue's rate limits are when recorded time runs faster than the clock."""
    if not options.recordings:
        return 1
    return 1_000_000 if options.speed <= 0 else max(1, round(options.speed))
