"""An account is looked at before a live run, and left clean after it."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from bloor.errors import RemoteProtocolError, RunError, UsageError
from bloor.execution.client_id import ClientIds
from bloor.host.account import AccountGuard, account_lock, rights_trouble
from bloor.host.rest import Answer
from bloor.venue.account import AccountState, AssetBalance, KeyRights, OpenOrder, Question
from bloor.venue.rest import VenueClock
from bloor.venue.session import Request

SECOND = 1_000_000_000
IDS = ClientIds(node=1, epoch=9)


def order(client_id, number="1"):
    return OpenOrder(client_id, number, "BTCUSDT", "BUY", "1", "1", "0")


OLD, OURS = order(ClientIds(1, 3).make(0, 1), "11"), order(IDS.make(0, 1), "12")
OTHER_NODE, FUTURE, FOREIGN = order(ClientIds(2, 3).make(0, 1)), order(ClientIds(1, 10).make(0, 1)), order("somebody")


class Venue:
    """Account interface and client in one: answers from fields."""

    def __init__(self, offset_ns=0):
        self.orders = []
        self.key = KeyRights(trade=True, withdraw=False)
        self.may_trade = True
        self.stubborn = False
        self.failing = ""
        self.asked = []
        self.clock = VenueClock()
        self.time = 1_700_000_000 * SECOND
        self.offset_ns = offset_ns

    # what the guard asks for

    def _question(self, what, answer):
        def read(status, body):
            self.asked.append(what)
            if what == self.failing:
                raise RemoteProtocolError(f"{what}: -1 no")
            return answer()

        return Question(request=Request(tag=what, method="GET", path=f"/{what}", params=""), read=read)

    def rights(self, now_ns):
        return self._question("rights", lambda: self.key)

    def state(self, now_ns):
        held = {"USDT": AssetBalance(Decimal(5), Decimal(0))}
        return self._question("state", lambda: AccountState(self.may_trade, held))

    def open_orders(self, now_ns):
        return self._question("open", lambda: list(self.orders))

    def cancel(self, one, now_ns):
        def done():
            if not self.stubborn:
                self.orders.remove(one)
            return True

        return self._question(f"cancel {one.venue_order_id}", done)

    # the client

    def now(self):
        self.time += 1_000_000
        return self.time

    def venue_ns(self):
        return self.now() + self.offset_ns

    async def ask_time(self):
        sent = self.now()
        self.clock.sample(sent, self.now(), sent + self.offset_ns)
        return 1

    async def request(self, request):
        return Answer(200, b"{}") if self.failing != "network" else Answer(0, b"", "no route")


def guard(venue):
    return AccountGuard("v", "prod", venue, venue, IDS)


def before(venue):
    return asyncio.run(guard(venue).before())


def test_a_clean_account_is_reported():
    """Clock, rights and balances; nothing is cancelled."""
    report = before(Venue(offset_ns=20_000_000))
    assert report.document() == {
        "venue": "v",
        "env": "prod",
        "clock_offset_ms": pytest.approx(20, abs=2),
        "clock_error_ms": pytest.approx(1, abs=1),
        "key": {"trade": True, "withdraw": False},
        "balances": {"USDT": {"free": "5", "locked": "0"}},
        "foreign_orders": [],
        "cancelled_orders": [],
    }


def test_our_orders_of_earlier_starts_are_cancelled_and_no_others():
    """Ours are those of this node and of no later start than ours; everybody else's stay."""
    venue = Venue()
    venue.orders = [OLD, OTHER_NODE, FUTURE, FOREIGN]
    report = before(venue)
    assert (report.cancelled, report.foreign) == ([OLD], [OTHER_NODE, FUTURE, FOREIGN])
    assert venue.orders == [OTHER_NODE, FUTURE, FOREIGN]


def test_an_order_that_stays_refuses_the_start():
    """What cannot be cancelled would fill unseen."""
    venue = Venue()
    venue.orders, venue.stubborn = [OLD], True
    with pytest.raises(RunError, match=f"still open after they were cancelled: {OLD.client_id}"):
        before(venue)


@pytest.mark.parametrize(("offset_s", "way"), [(3, "behind"), (-3, "ahead of")])
def test_clocks_that_are_too_far_apart_refuse_the_start(offset_s, way):
    """A venue would refuse every signed request."""
    with pytest.raises(RunError, match=rf"this machine is 3.0 s {way} the venue's.*NTP"):
        before(Venue(offset_ns=offset_s * SECOND))


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        (KeyRights(trade=False, withdraw=False), "may not trade"),
        (KeyRights(trade=True, withdraw=True), "may withdraw"),
    ],
)
def test_a_key_with_the_wrong_rights_refuses_the_start(rights, said):
    """One that cannot trade, and one that could empty the account."""
    venue = Venue()
    venue.key = rights
    venue.orders = [OLD]
    with pytest.raises(RunError, match=said):
        before(venue)
    assert venue.orders == [OLD]


def test_rights_that_the_venue_does_not_say_are_no_trouble():
    """Nobody would trade on a testnet otherwise."""
    assert rights_trouble(KeyRights(trade=None, withdraw=None)) == ""


def test_an_account_that_may_not_trade_refuses_the_start():
    """Whatever its key may."""
    venue = Venue()
    venue.may_trade = False
    with pytest.raises(RunError, match="does not let this account trade"):
        before(venue)


@pytest.mark.parametrize("failing", ["rights", "state", "open", "network"])
def test_what_cannot_be_found_out_refuses_the_start(failing):
    """With the venue's words, or the network's."""
    venue = Venue()
    venue.failing = failing
    with pytest.raises(RunError, match=r"v prod: .*(-1 no|no route)"):
        before(venue)


def test_nothing_of_ours_is_left_behind():
    """What is still open at the end is cancelled; if that cannot be made sure of, a person is told."""
    venue = Venue()
    venue.orders = [OURS, FOREIGN]
    assert asyncio.run(guard(venue).after()) == ""
    assert venue.orders == [FOREIGN]
    venue.failing = "open"
    assert "look at the venue for open orders" in asyncio.run(guard(venue).after())


def test_a_clock_that_is_stepped_is_told_once():
    """And one that has drifted too far for as long as it has."""
    venue = Venue()
    watched = guard(venue)
    asyncio.run(venue.ask_time())
    assert watched.clock_moved(venue.now()) == ""
    venue.offset_ns = 600_000_000
    asyncio.run(venue.ask_time())
    assert "was stepped by 0.600 s" in watched.clock_moved(venue.now())
    assert watched.clock_moved(venue.now()) == ""


def test_one_run_holds_the_account(tmp_path):
    """A second one is refused with the process of the first; other keys, and the same ones afterwards, are free."""
    keys = {"hmac": {"api_key": "CANARY", "secret": "CANARY"}}
    with account_lock(tmp_path, "v", "prod", keys):
        with pytest.raises(UsageError, match="another run trades at v prod with these keys"):  # noqa: SIM117
            with account_lock(tmp_path, "v", "prod", keys):
                pass
        with account_lock(tmp_path, "v", "prod", {"hmac": {"api_key": "other"}}):
            pass
        with account_lock(tmp_path, "v", "testnet", keys):
            pass
    with account_lock(tmp_path, "v", "prod", keys):
        pass
    for path in tmp_path.iterdir():
        assert "CANARY" not in path.name + path.read_text()
