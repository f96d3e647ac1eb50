"""How much may be asked of Coinbase's REST interface."""

from __future__ import annotations

import pytest

from bloor.errors import RemoteProtocolError
from bloor.venue.rest import RateBudget, Urgency
from bloor_coinbase.limits import rest_rules, time_ns
from bloor_coinbase.order_requests import MOST_CANCELS, Operation, chunked

ORDERS, PRODUCTS = Operation.NEW.value.path, "/api/v3/brokerage/market/products?product_ids=BTC-USD"
NOW = 1_700_000_000_000_000_000


def test_private_requests_keep_room_for_cancels() -> None:
    """Of thirty a second the last ten are for cancels, whatever public requests there are."""
    budget = RateBudget(rest_rules().limits)
    assert [budget.ask(ORDERS, NOW) == 0 for _ in range(21)] == [True] * 20 + [False]
    assert budget.ask(PRODUCTS, NOW) == 0
    cancels = [budget.ask(Operation.CANCEL.value.path, NOW, Urgency.CANCEL) == 0 for _ in range(11)]
    assert cancels == [True] * 10 + [False]


def test_a_refusal_is_waited_out_for_two_seconds() -> None:
    """Limits are by the second; cancels go out in the meantime."""
    rules = rest_rules()
    budget = RateBudget(rules.limits, slow_down_ns=rules.slow_down_ns)
    budget.answered(429, {}, NOW)
    assert budget.ask(ORDERS, NOW) == NOW + 2_000_000_000
    assert budget.ask(Operation.CANCEL.value.path, NOW, Urgency.CANCEL) == 0


def test_public_requests_are_counted_apart() -> None:
    """Ten a second, the time among them."""
    budget = RateBudget(rest_rules().limits)
    assert [budget.ask(path, NOW) == 0 for path in [PRODUCTS, "/api/v3/brokerage/time"] * 4 + [PRODUCTS]] == (
        [True] * 8 + [False]
    )
    assert budget.ask(ORDERS, NOW) == 0


def test_the_time_of_the_venue() -> None:
    """In ms; anything else is a named error."""
    assert time_ns(b'{"iso":"x","epochSeconds":"1775521800","epochMillis":"1775521800123"}') == 1775521800123000000
    for wrong in (b"{}", b"[]", b'{"epochMillis":"-5"}'):
        with pytest.raises(RemoteProtocolError, match="epochMillis"):
            time_ns(wrong)


def test_cancels_are_made_in_chunks() -> None:
    """One request names at most a hundred orders; none is left out."""
    ids = [f"o{n}" for n in range(2 * MOST_CANCELS + 1)]
    chunks = list(chunked(ids))
    assert [len(chunk) for chunk in chunks] == [MOST_CANCELS, MOST_CANCELS, 1]
    assert [one for chunk in chunks for one in chunk] == ids
    assert list(chunked([])) == []
