"""An account's balances move exactly, or not at all."""

from __future__ import annotations

import pytest

from bloor.errors import MoneyError
from bloor.model.instrument import Instrument
from bloor.simulation.account import Account, Fees, base_atoms, format_atoms, quote_atoms

BTC = Instrument(
    venue="test", symbol="BTC-USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", price_decimals=2, qty_decimals=8
)
ONE = 10**18


def test_more_than_is_free_cannot_be_reserved():
    """A refused reservation moves nothing."""
    account = Account(1)
    account.deposit("USDT", 5 * ONE)
    assert not account.reserve("USDT", 5 * ONE + 1)
    assert account.reserve("USDT", 5 * ONE)
    assert (account.balance("USDT").free, account.balance("USDT").locked) == (0, 5 * ONE)


def test_settling_pays_from_what_is_locked_and_takes_the_fee_from_what_is_received():
    """As Binance does: the commission is in the received asset."""
    account = Account(1, Fees(taker_ppm=1000))
    account.deposit("USDT", 100 * ONE)
    account.reserve("USDT", 60 * ONE)
    fee = account.settle("USDT", 60 * ONE, "BTC", ONE // 1000, maker=False)
    assert fee == ONE // 1_000_000
    assert account.balance("BTC").free == ONE // 1000 - fee
    assert account.balance("USDT").total == 40 * ONE
    assert account.paid == {"BTC": fee}


def test_a_purchase_may_pay_its_commission_on_top():
    """Where commissions are taken in the quote asset, the higher rate is locked with the value."""
    fees = Fees(maker_ppm=6_000, taker_ppm=12_000, in_quote=True)
    account = Account(1, fees)
    account.deposit("USD", 200 * ONE)
    assert account.reserve("USD", fees.with_commission(100 * ONE))
    assert account.balance("USD").locked == 101 * ONE + 2 * ONE // 10
    account.surcharge("USD", fees.commission(100 * ONE, maker=True))
    account.settle("USD", 100 * ONE, "BTC", ONE, maker=True, exempt=True)
    assert account.balance("BTC").free == ONE
    assert account.balance("USD").locked == 6 * ONE // 10
    assert account.paid["USD"] == 6 * ONE // 10
    with pytest.raises(MoneyError, match="a commission of at most"):
        account.surcharge("USD", ONE)
    assert Fees(taker_ppm=12_000).with_commission(100 * ONE) == 100 * ONE


def test_a_commission_is_cut_to_eight_decimals():
    """Nothing finer than the venue prints is charged."""
    assert Fees(taker_ppm=1000).commission(12_345 * 10**10 + 7, maker=False) == 12 * 10**10


@pytest.mark.parametrize("call", ["release", "settle"])
def test_what_is_not_locked_cannot_be_spent(call):
    """A mistake of the exchange is loud, never a negative balance."""
    account = Account(1)
    spend = {
        "release": lambda: account.release("USDT", 1),
        "settle": lambda: account.settle("USDT", 1, "BTC", 1, maker=True),
    }
    with pytest.raises(MoneyError, match="expected to"):
        spend[call]()


def test_atoms_are_exact():
    """Price times quantity is a whole number of atoms, and prints as the venue prints it."""
    assert quote_atoms(BTC, 6_183_764, 25_426_189) == 6_183_764 * 25_426_189 * 10**8
    assert base_atoms(BTC, 1) == 10**10
    assert format_atoms(quote_atoms(BTC, 6_183_764, 100_000_000)) == "61837.64000000"


def test_an_instrument_finer_than_atoms_is_refused():
    """Eighteen decimals are the most that stay exact."""
    fine = Instrument(
        venue="t", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=12, qty_decimals=8
    )
    with pytest.raises(MoneyError, match="at most 18 decimals"):
        quote_atoms(fine, 1, 1)
