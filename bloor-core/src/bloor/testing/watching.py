"""A session that keeps its contract in sight: every call is noted, and what breaks :mod:`bloor.venue.session` is said.

The sessions of a plug-in are driven by whoever carries them (the host, a virtual world, a replay). Whatever drives it,
after every call its deadline may not lie in the past, a timer that was called may not ask to be called again at the
same moment, and what it returns must be actions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from bloor.venue import session as sessions
from bloor.venue.session import NEVER

__all__ = ["Call", "Watch", "watched"]

_ACTIONS = (
    sessions.Send, sessions.Get, sessions.Request, sessions.Reconnect, sessions.Replace, sessions.Tell, sessions.Listed,
)  # fmt: skip
#: Which argument of a method is the time, where there is one.
_NOW = {
    "connected": 0, "disconnected": 0, "timer": 0, "control": 1, "touched": 0, "resync": 1, "responded": 3, "heard": 1,
    "replacement_connected": 0, "replacement_failed": 0, "replaced": 0, "received": 1,
}  # fmt: skip
#: Timers in a second that are too many.
SPINNING = 200


class Call(NamedTuple):
    """One call of a session.

    Attributes:
        method: Name of the method.
        now_ns: When.
        args: What it was given.
        actions: What it asked for.
    """

    method: str
    now_ns: int
    args: tuple[Any, ...]
    actions: tuple[Any, ...]


class Watch:
    """What was seen of one session.

    Attributes:
        calls: Every call that has a time, except those of every frame (``touched``, ``heard``).
        problems: What broke the contract, each once.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.problems: list[str] = []
        self._also: list[Any] = []
        self._timers: deque[int] = deque(maxlen=SPINNING)

    @property
    def actions(self) -> list[tuple[int, Any]]:
        """Everything that was asked for, with the time."""
        return [(call.now_ns, action) for call in self.calls for action in call.actions]

    def ask_also(self, action: Any) -> None:
        """Lets the session ask for something more when its timer is called next."""
        self._also.append(action)

    def also(self, method: str, answer: Any) -> Any:
        """What a call returned, and what it is to ask for beside."""
        if method != "timer" or not self._also:
            return answer
        more, self._also = self._also, []
        return [*answer, *more]

    def after(self, session: Any, method: str, args: tuple[Any, ...], answer: Any) -> None:
        """A call has returned."""
        now_ns = args[_NOW[method]]
        actions = answer
        if method in ("responded", "received") and isinstance(answer, tuple) and len(answer) == 2:
            actions = answer[1] if method == "received" or _is_actions(answer[1]) else answer[0]
        if actions is None or not isinstance(actions, Sequence):
            actions = ()
        strange = [action for action in actions if not isinstance(action, _ACTIONS)]
        if strange:
            self._say(f"{method}() returned {strange[0]!r:.80}, which is no action of bloor.venue.session")
        deadline = session.deadline_ns
        if type(deadline) is not int:
            self._say(f"after {method}() deadline_ns is {deadline!r}; expected ns since the epoch as an int, or NEVER")
        elif deadline > NEVER:
            self._say(f"after {method}() deadline_ns is beyond NEVER")
        elif method == "timer":
            self._timers.append(now_ns)
            if deadline <= now_ns:
                self._say("after timer() deadline_ns has already come: it would be called again and again")
            if len(self._timers) == SPINNING and now_ns - self._timers[0] < 1_000_000_000:
                self._say(f"timer() asked to be called {SPINNING} times within a second")
        elif deadline < now_ns and method not in ("touched", "heard"):
            self._say(f"after {method}() deadline_ns lies {now_ns - deadline} ns in the past")
        if method not in ("touched", "heard"):
            self.calls.append(Call(method, now_ns, args, tuple(actions)))

    def _say(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def _is_actions(value: Any) -> bool:
    return isinstance(value, list | tuple) and not hasattr(value, "_fields")


def watched(session: Any, watch: Watch) -> Any:
    """A stand-in for a session that passes everything on, and lets ``watch`` see it.

    It has every public attribute and method that the session has, so that it is whatever protocol the session is.
    """
    names: dict[str, Any] = {}
    for name in dir(session):
        if name.startswith("_"):
            continue
        if callable(getattr(session, name)):
            names[name] = _method(session, name, watch)
        else:
            names[name] = _attribute(session, name)
    return type(f"Watched{type(session).__name__}", (), names)()


def _attribute(session: Any, name: str) -> property:
    return property(lambda _: getattr(session, name))


def _method(session: Any, name: str, watch: Watch) -> Any:
    def call(_: Any, *args: Any, **kwargs: Any) -> Any:
        answer = watch.also(name, getattr(session, name)(*args, **kwargs))
        if name in _NOW and len(args) > _NOW[name]:
            watch.after(session, name, args, answer)
        return answer

    return call
