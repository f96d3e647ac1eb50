"""An account before, during and after it is traded on: what is found there, and what must not stay behind.

Before the first order: how far the clocks are apart, what the key may do, what the account holds, and which orders are
open. Orders of ours from an earlier start of this host are cancelled, since nobody watches them any more; what is left
of them after that refuses the start. Orders of others are told and never touched. After the last order: the venue is
asked once more, over REST, whether anything of ours is open.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import orjson
from attrs import field, frozen
from loguru import logger

from bloor.errors import RemoteProtocolError, RunError, UsageError
from bloor.execution.client_id import ClientId, ClientIds
from bloor.host.rest import RestClient
from bloor.venue.account import AccountInterface, AccountState, KeyRights, OpenOrder, Question

__all__ = ["CLOCK_LIMIT_NS", "AccountGuard", "AccountReport", "account_lock", "ask", "clock_trouble", "rights_trouble"]

T = TypeVar("T")

#: How far the venue's clock and ours may be apart. Beyond it venues refuse signed requests, and times of the run mean
#: nothing any more.
CLOCK_LIMIT_NS = 1_000_000_000
#: Answers of the time endpoint before the clocks are compared.
_CLOCK_ASKED = 3


async def ask(client: RestClient, question: Question[T]) -> T:
    """Asks once, and again where the question says so.

    Raises:
        RemoteProtocolError: There is no answer, or not the one that was asked for.
    """
    answer = await client.request(question.request)
    if answer.status == 0:
        raise RemoteProtocolError(f"{question.request.path}: no answer: {answer.error}")
    other = question.again(answer.status, answer.body) if question.again is not None else None
    return question.read(answer.status, answer.body) if other is None else await ask(client, other)


def clock_trouble(client: RestClient, now_ns: int) -> str:
    """Why the clocks do not let signed requests pass; empty when they do, or when nothing is known."""
    clock = client.clock
    if not clock.known or abs(clock.offset_ns(now_ns)) - clock.error_ns(now_ns) <= CLOCK_LIMIT_NS:
        return ""
    offset_s = clock.offset_ns(now_ns) / 1e9
    way = "behind" if offset_s > 0 else "ahead of"
    return (
        f"the clock of this machine is {abs(offset_s):.1f} s {way} the venue's, and at most "
        f"{CLOCK_LIMIT_NS / 1e9:.0f} s can be traded with; set it, e.g. by NTP"
    )


def rights_trouble(rights: KeyRights) -> str:
    """Why a key is not fit to trade with; empty when it is, or when nothing is known."""
    if rights.trade is False:
        return "the key may not trade; give it that right at the venue, or use another"
    if rights.withdraw:
        return "the key may withdraw: whoever has it can empty the account; make one at the venue that may only trade"
    return ""


@contextlib.contextmanager
def account_lock(folder: Path, venue: str, env: str, keys: Mapping[str, Any]) -> Iterator[None]:
    """Keeps a second live run of this host off the account: it would take our open orders for leftovers.

    Raises:
        UsageError: There is such a run, or the folder cannot be written.
    """
    identity = hashlib.sha256(orjson.dumps(dict(keys), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    path = folder / f"live-{venue}-{env}-{identity}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = path.open("a+b")
    except OSError as error:
        raise UsageError(
            f"{path}: cannot lock the account: {error.strerror}; set BLOOR_STATE to another folder"
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise UsageError(
                f"--mode live: another run trades at {venue} {env} with these keys "
                f"(process {file.read().decode(errors='replace').strip()}); end it first, or use other keys"
            ) from None
        file.truncate(0)
        file.write(b"%d\n" % os.getpid())
        file.flush()
        yield


@frozen(kw_only=True)
class AccountReport:
    """What was found before the first order.

    Attributes:
        venue: The venue.
        env: Its environment.
        clock_offset_ns: The venue's clock less ours.
        clock_error_ns: How wrong that can be.
        rights: What the key may do.
        balances: What the account holds.
        foreign: Open orders that are not ours.
        cancelled: Open orders of earlier starts that were cancelled.
    """

    venue: str
    env: str
    clock_offset_ns: int
    clock_error_ns: int
    rights: KeyRights
    balances: AccountState
    foreign: Sequence[OpenOrder]
    cancelled: Sequence[OpenOrder] = field(factory=list)

    def document(self) -> dict[str, Any]:
        """The report as plain data, for journal and summary."""
        return {
            "venue": self.venue,
            "env": self.env,
            "clock_offset_ms": round(self.clock_offset_ns / 1e6, 3),
            "clock_error_ms": round(self.clock_error_ns / 1e6, 3),
            "key": {"trade": self.rights.trade, "withdraw": self.rights.withdraw},
            "balances": {
                asset: {"free": f"{b.free:f}", "locked": f"{b.locked:f}"}
                for asset, b in sorted(self.balances.balances.items())
            },
            "foreign_orders": [order._asdict() for order in self.foreign],
            "cancelled_orders": [order._asdict() for order in self.cancelled],
        }


class AccountGuard:
    """One account of a live run.

    Args:
        venue: The venue's name.
        env: Its environment.
        account: Words the questions.
        client: Asks them.
        ids: The ids of this run.
    """

    def __init__(self, venue: str, env: str, account: AccountInterface, client: RestClient, ids: ClientIds) -> None:
        self.venue = venue
        self._env = env
        self._account = account
        self._client = client
        self._ids = ids
        self._steps = 0

    async def before(self) -> AccountReport:
        """Everything before the first order.

        Raises:
            RunError: The account is not to be traded on; says why and what to do.
        """
        try:
            return await self._before()
        except RemoteProtocolError as error:
            raise RunError(f"{self.venue} {self._env}: {error}") from error

    async def _before(self) -> AccountReport:
        client, account = self._client, self._account
        for _ in range(_CLOCK_ASKED):
            await client.ask_time()
        now_ns = client.now()
        if not client.clock.known:
            raise RunError(f"{self.venue} {self._env}: it does not say what time it is, so no request can be signed")
        rights = await ask(client, account.rights(client.venue_ns()))
        state = await ask(client, account.state(client.venue_ns()))
        trouble = clock_trouble(client, now_ns) or rights_trouble(rights)
        if not state.may_trade:
            trouble = trouble or "the venue does not let this account trade"
        if trouble:
            raise RunError(f"{self.venue} {self._env}: {trouble}")
        ours, foreign = self._sorted(await ask(client, account.open_orders(client.venue_ns())))
        await self._cancel(ours)
        for order in foreign:
            logger.warning("{}: an open order that is not ours stays untouched: {}", self.venue, order)
        if ours:
            state = await ask(client, account.state(client.venue_ns()))
        return AccountReport(
            venue=self.venue,
            env=self._env,
            clock_offset_ns=client.clock.offset_ns(now_ns),
            clock_error_ns=client.clock.error_ns(now_ns),
            rights=rights,
            balances=state,
            foreign=foreign,
            cancelled=ours,
        )

    async def after(self) -> str:
        """Whether anything of ours is open at the end; what is, is cancelled.

        Returns:
            What a person must do; empty when nothing of ours is open.
        """
        try:
            ours, _ = self._sorted(await ask(self._client, self._account.open_orders(self._client.venue_ns())))
            await self._cancel(ours)
        except (RemoteProtocolError, RunError) as error:
            return f"{self.venue} {self._env}: {error}; look at the venue for open orders whose ids begin with B"
        return ""

    def clock_moved(self, now_ns: int) -> str:
        """Why the clocks do not let the run go on; empty when they do."""
        clock = self._client.clock
        if clock.steps != self._steps:
            self._steps = clock.steps
            return f"{self.venue}: its clock or ours was stepped by {clock.last_step_ns / 1e9:.3f} s"
        return clock_trouble(self._client, now_ns)

    def _sorted(self, found: Sequence[OpenOrder]) -> tuple[list[OpenOrder], list[OpenOrder]]:
        """Orders of this host, and of others."""
        ours: list[OpenOrder] = []
        foreign: list[OpenOrder] = []
        for order in found:
            named = ClientId.parse(order.client_id)
            mine = named is not None and named.node == self._ids.node and named.epoch <= self._ids.epoch
            (ours if mine else foreign).append(order)
        return ours, foreign

    async def _cancel(self, orders: Sequence[OpenOrder]) -> None:
        """Cancels orders of ours and makes sure that they are gone.

        Raises:
            RunError: Some are not.
        """
        if not orders:
            return
        for order in orders:
            logger.warning("{}: cancelling an open order of ours: {}", self.venue, order)
            await ask(self._client, self._account.cancel(order, self._client.venue_ns()))
        left, _ = self._sorted(await ask(self._client, self._account.open_orders(self._client.venue_ns())))
        if left:
            ids = ", ".join(order.client_id for order in left)
            raise RunError(f"{self.venue} {self._env}: orders of ours are still open after they were cancelled: {ids}")
