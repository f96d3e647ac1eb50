"""``bloor.replay``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bloor.api.results import ReplayResult
from bloor.api.waiting import bloor_errors
from bloor.host.replay.run import replay as replay_session
from bloor.plugins.configured import configured_host
from bloor.strategy.api import Strategy

__all__ = ["replay"]


def replay(
    session: str | Path, *, verify: bool = False, strategies: type[Strategy] | Sequence[type[Strategy]] = ()
) -> ReplayResult:
    """Replays a session: its journal through the installed plug-ins, as ``bloor replay`` does.

    Every decision and every frame is compared either way; a difference is in the result, not an exception. Frames are
    compared as they are recorded: without key and signature.

    Args:
        session: The folder of a session, ended or not.
        verify: Whether to stop at the first record that differs.
        strategies: Strategy classes that took part and belong to no plug-in.

    Raises:
        UsageError: There is no journal, it is corrupt, or it is not of a run or not of this version.
        PluginError: A plug-in that took part is not installed or cannot be replayed.
        RunError: The engine broke on an input.
    """
    with bloor_errors():
        classes = (strategies,) if isinstance(strategies, type) else tuple(strategies)
        replayed = replay_session(Path(session), configured_host(), verify=verify, strategies=classes, keep=True)
        return ReplayResult(
            document=replayed.document, difference=replayed.difference, failure=replayed.failure, replayed=replayed
        )
