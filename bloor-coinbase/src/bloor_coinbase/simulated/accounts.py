"""The account over REST: balances, portfolio, fees, what a key may do ("List Accounts", "Get Transactions Summary")."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bloor.simulation.account import ATOM_DECIMALS, Account
from bloor_coinbase.simulated.errors import not_found
from bloor_coinbase.simulated.keys import seeded_uuid
from bloor_coinbase.simulated.listing import FIAT
from bloor_coinbase.simulated.order import CoinbaseOrder
from bloor_coinbase.simulated.queries import Query
from bloor_coinbase.simulated.tokens import ApiKey
from bloor_coinbase.simulated.words import amount_text, decimal_text, stamp

__all__ = ["FEES", "TIER", "Accounts"]

#: Accounts of one page: without a limit, and at most.
ACCOUNTS, MOST_ACCOUNTS = 49, 250
#: Commission rates in millionths: maker and taker, and the tier that they belong to.
FEES = (1_250, 2_500)
TIER = ("Advanced 3", "75000", "250000")
_MILLION = Decimal(1_000_000)


class Accounts:
    """Answers questions about accounts.

    Args:
        seed: Fixes ids.
        opened_ns: When they were opened.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.opened_ns = 0

    def listed(self, account: Account, query: Query, now_ns: int) -> dict[str, Any]:
        """``/accounts``. Raises ApiError."""
        page, where = query.page(list(account.balances), ACCOUNTS, MOST_ACCOUNTS)
        return {"accounts": [self._view(account, asset, now_ns) for asset in page], **where, "size": len(page)}

    def get(self, account: Account, uuid: str, now_ns: int) -> dict[str, Any]:
        """``/accounts/{account_uuid}``. Raises ApiError 404."""
        for asset in account.balances:
            if self._uuid(asset) == uuid:
                return {"account": self._view(account, asset, now_ns)}
        raise not_found("account not found")

    def wallets(self, account: Account, query: Query, now_ns: int) -> dict[str, Any]:
        """``/v2/accounts``: the older interface, whose balance is all there is. Raises ApiError."""
        page, where = query.page(list(account.balances), ACCOUNTS, MOST_ACCOUNTS)
        pages = {"ending_before": None, "starting_after": None, "previous_ending_before": None, "next_uri": None}
        limit = {"next_starting_after": where["cursor"] or None, "limit": len(page), "order": "desc"}
        return {"pagination": {**pages, **limit}, "data": [self._wallet(account, asset, now_ns) for asset in page]}

    def portfolios(self) -> dict[str, Any]:
        """``/portfolios``."""
        return {"portfolios": [{"name": "Default", "uuid": self.portfolio, "type": "DEFAULT", "deleted": False}]}

    def permissions(self, key: ApiKey | None) -> dict[str, Any]:
        """``/key_permissions``."""
        return {
            "can_view": True,
            "can_trade": key is not None and key.trades,
            "can_transfer": False,
            "portfolio_uuid": self.portfolio,
            "portfolio_type": "DEFAULT",
        }

    def summary(self, account: Account, orders: list[CoinbaseOrder]) -> dict[str, Any]:
        """``/transaction_summary``."""
        volume = sum(order.value for order in orders)
        fees = sum(order.fees for order in orders)
        name, low, high = TIER
        total, paid = (float(Decimal(atoms).scaleb(-ATOM_DECIMALS)) for atoms in (volume, fees))
        return {
            "total_volume": total,
            "total_fees": paid,
            "fee_tier": {
                "pricing_tier": name,
                "usd_from": low,
                "usd_to": high,
                "taker_fee_rate": _rate(account.fees.taker_ppm),
                "maker_fee_rate": _rate(account.fees.maker_ppm),
                "aop_from": "",
                "aop_to": "",
            },
            "margin_rate": None,
            "goods_and_services_tax": None,
            "advanced_trade_only_volume": total,
            "advanced_trade_only_fees": paid,
            "coinbase_pro_volume": 0,
            "coinbase_pro_fees": 0,
            "total_balance": "",
            "has_promo_fee": False,
        }

    @property
    def portfolio(self) -> str:
        """Id of the only portfolio."""
        return seeded_uuid(self._seed, "portfolio")

    def _uuid(self, asset: str) -> str:
        return seeded_uuid(self._seed, f"account {asset}")

    def _view(self, account: Account, asset: str, now_ns: int) -> dict[str, Any]:
        balance = account.balance(asset)
        return {
            "uuid": self._uuid(asset),
            "name": f"{asset} Wallet",
            "currency": asset,
            "available_balance": {"value": amount_text(balance.free), "currency": asset},
            "default": asset == "USD",
            "active": True,
            "created_at": stamp(self.opened_ns),
            "updated_at": stamp(now_ns),
            "deleted_at": None,
            "type": "ACCOUNT_TYPE_FIAT" if asset in FIAT else "ACCOUNT_TYPE_CRYPTO",
            "ready": True,
            "hold": {"value": amount_text(balance.locked), "currency": asset},
            "retail_portfolio_id": self.portfolio,
            "platform": "ACCOUNT_PLATFORM_CONSUMER",
        }

    def _wallet(self, account: Account, asset: str, now_ns: int) -> dict[str, Any]:
        kind = "fiat" if asset in FIAT else "crypto"
        return {
            "id": self._uuid(asset),
            "name": f"{asset} Wallet",
            "primary": asset == "USD",
            "type": "fiat" if asset in FIAT else "wallet",
            "currency": {"code": asset, "name": asset, "exponent": 2 if asset in FIAT else 8, "type": kind},
            "balance": {"amount": amount_text(account.balance(asset).total), "currency": asset},
            "created_at": stamp(self.opened_ns),
            "updated_at": stamp(now_ns),
            "resource": "account",
            "resource_path": f"/v2/accounts/{self._uuid(asset)}",
            "allow_deposits": False,
            "allow_withdrawals": False,
        }


def _rate(ppm: int) -> str:
    return decimal_text(Decimal(ppm) / _MILLION)
