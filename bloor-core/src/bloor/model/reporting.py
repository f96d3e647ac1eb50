"""The currency in which a run's money is told, and what other quote assets are worth in it.

Amounts of different currencies are never added as if they were one: each is multiplied by the rate of its quote asset
first. Rates are fixed for a whole run and are stated by the user. Where nothing is at stake, dollars and tokens that
are meant to be worth one are taken at par, and that is told. Prices, fills and limits stay in the quote asset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from bloor.errors import ConfigError

__all__ = ["PEGGED", "Reporting", "reporting"]

#: The dollar, and tokens that are meant to be worth one.
PEGGED = frozenset({"USD", "USDT", "USDC"})
_ONE = Decimal(1)


@frozen(kw_only=True)
class Reporting:
    """In what the money of a run is told.

    Attributes:
        currency: The reporting currency.
        rates: What one of every other quote asset is worth in it.
        assumed: Those of them that nobody stated: dollars taken at par.
    """

    currency: str
    rates: Mapping[str, Decimal] = field(factory=dict)
    assumed: tuple[str, ...] = ()

    def rate(self, asset: str) -> Decimal:
        """What one of a quote asset of the run is worth in the reporting currency, exact.

        Raises:
            KeyError: It is no quote asset of the run.
        """
        return _ONE if asset == self.currency else self.rates[asset]

    def notices(self) -> tuple[str, ...]:
        """What a person should know of it."""
        return tuple(
            f"sums count one {asset} as one {self.currency}; another worth is stated by [run.rates] {asset}"
            for asset in self.assumed
        )

    def record(self) -> dict[str, Any]:
        """As plain data; :meth:`from_record` reads it."""
        rates = {asset: f"{rate:f}" for asset, rate in sorted(self.rates.items())}
        return {"currency": self.currency, "rates": rates, "assumed": list(self.assumed)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Reporting:
        """What :meth:`record` gave."""
        rates = {asset: Decimal(rate) for asset, rate in record["rates"].items()}
        return cls(currency=record["currency"], rates=rates, assumed=tuple(record["assumed"]))


def reporting(
    quotes: Iterable[str],
    *,
    currency: str | None = None,
    rates: Mapping[str, Decimal] | None = None,
    par: bool = False,
) -> Reporting:
    """How the money of instruments with these quote assets is told.

    Args:
        quotes: Quote assets, in the order of the instruments.
        currency: The reporting currency; None for the quote asset of all, or USD where it is one of several, or else
            the first.
        rates: What one of an asset is worth in that currency, where it is stated.
        par: Whether dollars and tokens that are meant to be worth one (:data:`PEGGED`) count as one where nothing is
            stated.

    Raises:
        ConfigError: What one of the quote assets is worth is not known.
    """
    each = list(dict.fromkeys(quotes))
    if currency is None:
        currency = "USD" if "USD" in each else each[0]
    stated = rates or {}
    if stated.get(currency, _ONE) != _ONE:
        raise ConfigError(f"run.rates.{currency}", "1, since sums are told in it", f"{stated[currency]:f}")
    found: dict[str, Decimal] = {}
    assumed = []
    for asset in each:
        if asset == currency:
            continue
        if asset in stated:
            found[asset] = stated[asset]
        elif par and asset in PEGGED and currency in PEGGED:
            found[asset] = _ONE
            assumed.append(asset)
        else:
            raise ConfigError(
                f"run.rates.{asset}",
                f"what one {asset} is worth in {currency}, since the run has instruments quoted in "
                f"{' and '.join(each)} and its sums are told in {currency}",
                "nothing",
                "",
                f"; say --set run.rates.{asset}=N with about what one costs now: it stays for the whole run and counts "
                "in sums only, not in what is traded; or trade instruments with one quote asset",
            )
    return Reporting(currency=currency, rates=found, assumed=tuple(assumed))
