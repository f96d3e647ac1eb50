"""An account's money: free and locked balances, exact.

Amounts are integers of :data:`ATOM_DECIMALS` decimals of an asset, so that price times quantity of any instrument is a
whole number and nothing is ever rounded, except a commission, which is cut to :data:`COMMISSION_DECIMALS` decimals.
"""

from __future__ import annotations

from attrs import define, frozen

from bloor.errors import MoneyError
from bloor.model.decimals import format_units
from bloor.model.instrument import Instrument

__all__ = [
    "ATOM_DECIMALS",
    "COMMISSION_DECIMALS",
    "Account",
    "Balance",
    "Fees",
    "base_atoms",
    "format_atoms",
    "quote_atoms",
]

#: Decimals of every amount in an account.
ATOM_DECIMALS = 18
#: Decimals that a commission is cut to (Binance, "Commission Rates": 8).
COMMISSION_DECIMALS = 8
_COMMISSION_STEP: int = 10 ** (ATOM_DECIMALS - COMMISSION_DECIMALS)


def base_atoms(instrument: Instrument, units: int) -> int:
    """A quantity in units as atoms of the base asset."""
    return units * _scale(instrument, instrument.qty_decimals)


def quote_atoms(instrument: Instrument, ticks: int, units: int) -> int:
    """Price times quantity as atoms of the quote asset."""
    return instrument.value_units(ticks, units) * _scale(instrument, instrument.value_decimals)


def _scale(instrument: Instrument, decimals: int) -> int:
    if decimals > ATOM_DECIMALS:
        raise MoneyError(f"{instrument.symbol}: expected at most {ATOM_DECIMALS} decimals of a value, got {decimals}")
    scale: int = 10 ** (ATOM_DECIMALS - decimals)
    return scale


def format_atoms(atoms: int, decimals: int = 8) -> str:
    """Atoms as decimal text, cut to ``decimals`` decimals as venues print balances."""
    return format_units(atoms // 10 ** (ATOM_DECIMALS - decimals), decimals)


@frozen
class Fees:
    """Commission rates in millionths of the received amount, or of the value.

    Attributes:
        maker_ppm: Of what rested.
        taker_ppm: Of what took.
        in_quote: Whether commissions are taken in the quote asset: a buy pays its on top of the value, and it is locked
            with the value (Coinbase, "Advanced Trade fees"); otherwise they are taken off what is received.
        asset: A third asset that commissions are taken in as long as there is enough of it; empty for none.
        discount_ppm: What is taken off a commission in that asset (Binance, "BNB fee discount": a quarter).
    """

    maker_ppm: int = 1000
    taker_ppm: int = 1000
    asset: str = ""
    discount_ppm: int = 250_000
    in_quote: bool = False

    def commission(self, received: int, *, maker: bool) -> int:
        """The commission in atoms on ``received`` atoms."""
        fee = received * (self.maker_ppm if maker else self.taker_ppm) // 1_000_000
        return fee - fee % _COMMISSION_STEP

    def with_commission(self, value: int) -> int:
        """What must be locked for a purchase worth ``value`` atoms: with the higher commission where it is on top."""
        if not self.in_quote:
            return value
        return value + max(self.commission(value, maker=True), self.commission(value, maker=False))

    def in_asset(self, value: int, price: int, *, maker: bool) -> int:
        """The commission in atoms of :attr:`asset`.

        Args:
            value: Atoms of the quote asset that were traded.
            price: Atoms of the quote asset that one of :attr:`asset` is worth.
            maker: Whether the order rested.
        """
        ppm = (self.maker_ppm if maker else self.taker_ppm) * (1_000_000 - self.discount_ppm)
        fee: int = value * ppm * 10**ATOM_DECIMALS // (price * 10**12)
        return fee - fee % _COMMISSION_STEP


@define
class Balance:
    """Atoms of one asset."""

    free: int = 0
    locked: int = 0

    @property
    def total(self) -> int:
        """Free and locked."""
        return self.free + self.locked


class Account:
    """Balances of one account.

    Attributes:
        number: The account's number, the owner of its orders.
        balances: Asset -> balance.
        fees: Its commission rates.
        paid: Asset -> commission paid so far, in atoms.
    """

    def __init__(self, number: int, fees: Fees | None = None) -> None:
        self.number = number
        self.balances: dict[str, Balance] = {}
        self.fees = fees or Fees()
        self.paid: dict[str, int] = {}

    def balance(self, asset: str) -> Balance:
        """The balance of an asset, zero if it was never held."""
        return self.balances.setdefault(asset, Balance())

    def deposit(self, asset: str, atoms: int) -> None:
        """Adds to the free balance."""
        if atoms < 0:
            raise MoneyError(f"{asset}: expected a deposit of at least 0 atoms, got {atoms}")
        self.balance(asset).free += atoms

    def reserve(self, asset: str, atoms: int) -> bool:
        """Moves free to locked; False, and nothing moves, when there is not enough."""
        balance = self.balance(asset)
        if atoms < 0 or balance.free < atoms:
            return False
        balance.free -= atoms
        balance.locked += atoms
        return True

    def release(self, asset: str, atoms: int) -> None:
        """Moves locked back to free.

        Raises:
            MoneyError: Less than that is locked.
        """
        balance = self.balance(asset)
        if not 0 <= atoms <= balance.locked:
            raise MoneyError(f"{asset}: expected to release at most {balance.locked} locked atoms, got {atoms}")
        balance.locked -= atoms
        balance.free += atoms

    def charge(self, asset: str, atoms: int) -> bool:
        """Takes a commission from the free balance; False, and nothing is taken, when there is not enough."""
        balance = self.balance(asset)
        if atoms < 0 or balance.free < atoms:
            return False
        balance.free -= atoms
        self.paid[asset] = self.paid.get(asset, 0) + atoms
        return True

    def surcharge(self, asset: str, atoms: int) -> None:
        """Takes a commission from the locked balance.

        Raises:
            MoneyError: Less than that is locked.
        """
        balance = self.balance(asset)
        if not 0 <= atoms <= balance.locked:
            raise MoneyError(f"{asset}: expected a commission of at most {balance.locked} locked atoms, got {atoms}")
        balance.locked -= atoms
        self.paid[asset] = self.paid.get(asset, 0) + atoms

    def settle(self, pay: str, paid: int, receive: str, received: int, *, maker: bool, exempt: bool = False) -> int:
        """Pays from the locked balance and receives, less the commission in the received asset.

        Args:
            pay: Asset that is paid.
            paid: How many atoms of it.
            receive: Asset that is received.
            received: How many atoms of it.
            maker: Whether the order rested.
            exempt: Whether the commission was taken elsewhere (:meth:`charge`, :meth:`surcharge`).

        Returns:
            The commission in atoms.

        Raises:
            MoneyError: Less than ``paid`` is locked.
        """
        source = self.balance(pay)
        if not 0 <= paid <= source.locked:
            raise MoneyError(f"{pay}: expected to pay at most {source.locked} locked atoms, got {paid}")
        fee = 0 if exempt else self.fees.commission(received, maker=maker)
        source.locked -= paid
        self.balance(receive).free += received - fee
        self.paid[receive] = self.paid.get(receive, 0) + fee
        return fee
