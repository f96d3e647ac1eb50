"""Every account of a live run; nothing at all in other modes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from loguru import logger

from bloor.engine.plan import EnginePlan
from bloor.execution.client_id import ClientIds
from bloor.hookspecs import ExecutorContext
from bloor.host.account import AccountGuard, AccountReport
from bloor.host.loop import unless
from bloor.host.rest import RestClient

__all__ = ["LiveAccounts"]


class LiveAccounts:
    """What is done about the accounts of a run before, during and after it; see :mod:`bloor.host.account`.

    Args:
        plan: The run.
        env: The environment of its venues.
        clients: One for each venue of the plan.
    """

    def __init__(self, plan: EnginePlan, env: str, clients: Sequence[RestClient]) -> None:
        self._env = env
        self._reports: list[AccountReport] = []
        self._guards: list[AccountGuard] = []
        for venue, client in zip(plan.venues, clients, strict=True):
            assert venue.executor.account is not None  # a live run is not prepared without
            context = ExecutorContext(
                config=venue.config, endpoints=venue.endpoints, credentials=venue.credentials,
                instruments=venue.instruments,
            )  # fmt: skip
            ids = ClientIds(plan.node, plan.epoch)
            self._guards.append(AccountGuard(venue.venue, env, venue.executor.account(context), client, ids))

    async def before(self, over: asyncio.Event, step: Callable[[str], None]) -> None:
        """Looks at every account, until ``over``; ``step`` is told what begins.

        Raises:
            RunError: One is not to be traded on, or it was interrupted.
        """
        for guard in self._guards:
            step(f"looking at the account at {guard.venue} {self._env}")
            self._reports.append(await unless(over, guard.before(), "nothing was traded"))
        logger.warning("live at {} {}: orders are real", ", ".join(g.venue for g in self._guards), self._env)

    def clock_moved(self, now_ns: int) -> str:
        """Why the clocks do not let the run go on; empty when they do."""
        return next(filter(None, (guard.clock_moved(now_ns) for guard in self._guards)), "")

    async def after(self) -> str:
        """Makes sure that nothing of ours is open anywhere; what a person must do, or nothing."""
        return "; ".join(filter(None, [await guard.after() for guard in self._guards]))

    def notices(self) -> list[str]:
        """What was found that a person should know of."""
        told = []
        for report in self._reports:
            place = f"{report.venue} {report.env}"
            if report.cancelled:
                told.append(f"{place}: {len(report.cancelled)} open orders of an earlier start were cancelled")
            if report.foreign:
                told.append(f"{place}: {len(report.foreign)} open orders that are not ours were left alone")
        return told

    def documents(self) -> list[dict[str, Any]]:
        """What was found before the first order."""
        return [report.document() for report in self._reports]
