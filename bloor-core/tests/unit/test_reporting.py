"""In what the money of a run is told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bloor.errors import ConfigError
from bloor.model.reporting import Reporting, reporting


def test_one_quote_asset_is_the_currency() -> None:
    """Nothing needs a rate, and nothing is told."""
    told = reporting(["USDT", "USDT"])
    assert told == Reporting(currency="USDT")
    assert (told.rate("USDT"), told.notices()) == (1, ())


def test_dollars_count_as_dollars_only_where_that_is_allowed() -> None:
    """On paper one USDT is one USD, which is said; live it has to be stated."""
    told = reporting(["USDT", "USD", "USDC"], par=True)
    assert told.currency == "USD"
    assert told.rates == {"USDT": 1, "USDC": 1}
    assert [notice.split(";")[0] for notice in told.notices()] == [
        "sums count one USDT as one USD", "sums count one USDC as one USD",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match=r"run\.rates\.USDT: expected what one USDT is worth in USD"):
        reporting(["USDT", "USD"])


def test_a_stated_rate_counts() -> None:
    """Also against par, and towards a currency that nothing is quoted in."""
    told = reporting(["USD", "USDT"], rates={"USDT": Decimal("0.998"), "EUR": Decimal("1.08")}, par=True)
    assert (told.rate("USDT"), told.assumed) == (Decimal("0.998"), ())
    assert "EUR" not in told.rates
    told = reporting(["USDT"], currency="EUR", rates={"USDT": Decimal("0.92")})
    assert (told.currency, told.rate("USDT")) == ("EUR", Decimal("0.92"))


def test_nobody_guesses_what_other_currencies_are_worth() -> None:
    """An unknown rate is refused, with what to do."""
    with pytest.raises(ConfigError, match=r"--set run\.rates\.EUR="):
        reporting(["USDT", "EUR"], par=True)
    with pytest.raises(ConfigError, match=r"run\.rates\.USD: expected 1"):
        reporting(["USD", "USDT"], rates={"USD": Decimal(2)})


def test_the_record_of_it_is_read_again() -> None:
    """So that a replay tells the same sums."""
    told = reporting(["USD", "USDT", "EUR"], rates={"EUR": Decimal("1.0800")}, par=True)
    assert Reporting.from_record(told.record()) == told
