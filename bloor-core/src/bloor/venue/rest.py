"""Rules of a venue's REST interface: how much may be asked, what the venue's clock says, when to try again. Sans I/O.

A venue counts the weight of requests in windows and bans who goes over. :class:`RateBudget` never lets more than the
limit go out in *any* span of one window and :data:`GUARD_NS`, which covers the venue's windows wherever they begin, as
long as no two requests differ by more than the guard in how long they are under way. Part of each limit is a reserve
for cancels. What the venue itself reports counts when it is more than what we know of: other programs may share the
address.

:class:`VenueClock` estimates how far the venue's clock is ahead of ours (F. Cristian, "Probabilistic clock
synchronization", 1989): the answer was made somewhere between sending and receiving, so the offset is known to half a
round trip; of several answers the one with the shortest round trip is believed. An answer that cannot be reconciled
with it means that one of the clocks was stepped.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum

from attrs import define, field, frozen

__all__ = ["GUARD_NS", "RateBudget", "RateLimit", "RestRules", "Retry", "Urgency", "VenueClock"]

SECOND = 1_000_000_000
#: How much longer than its window a limit is kept: differences between the travel times of requests.
GUARD_NS = SECOND
#: Waits after 429 and 418 when the venue does not say how long, in its answer or in its :class:`RestRules`.
SLOW_DOWN_NS, BANNED_NS = 60 * SECOND, 120 * SECOND
#: How fast two clocks may drift apart: 100 parts in a million.
DRIFT_PPM = 100
#: Answers of the time endpoint that are remembered, and for how long one is believed.
SAMPLES, SAMPLE_LIFE_NS = 16, 900 * SECOND


class Urgency(Enum):
    """What a request is for."""

    #: Anything that can wait.
    ORDINARY = "ordinary"
    #: A cancel: it may use the reserve, and goes out though the venue asked to slow down.
    CANCEL = "cancel"


@frozen(kw_only=True)
class RateLimit:
    """One limit of a venue.

    Attributes:
        name: For messages.
        limit: Most that may be used in a window.
        window_ns: Length of a window.
        reserve: Part of the limit that only cancels may use.
        header: Name in lower case of the answer's header that says what is used; empty when there is none.
        counts: ``(path) -> weight`` of a request.
    """

    name: str
    limit: int
    window_ns: int
    reserve: int = 0
    header: str = ""
    counts: Callable[[str], int] = field(default=lambda _: 1)


@frozen(kw_only=True)
class RestRules:
    """How a venue's REST interface wants to be used.

    Attributes:
        limits: Its rate limits.
        time_path: Path that says the venue's time; empty when there is none.
        parse_time: Reads its answer: ns since the epoch; raises RemoteProtocolError.
        resolution_ns: What that time is rounded down to.
        slow_down_ns: How long to wait after an answer 429 that does not say how long.
    """

    limits: Sequence[RateLimit] = ()
    time_path: str = ""
    parse_time: Callable[[bytes], int] | None = None
    resolution_ns: int = 1_000_000
    slow_down_ns: int = SLOW_DOWN_NS


@define
class _Window:
    """What was used of one limit in the last window and guard."""

    rule: RateLimit
    uses: deque[tuple[int, int]] = field(factory=deque)
    used: int = 0

    def forget(self, now_ns: int) -> None:
        """Drops what is too old to count."""
        while self.uses and self.uses[0][0] + self.rule.window_ns + GUARD_NS <= now_ns:
            self.used -= self.uses.popleft()[1]

    def add(self, now_ns: int, weight: int) -> None:
        """Counts a use."""
        if weight > 0:
            self.uses.append((now_ns, weight))
            self.used += weight

    def free_at(self, now_ns: int, weight: int, allowed: int) -> int:
        """When ``weight`` more fits into ``allowed``: now, or when enough of the old uses are forgotten."""
        over = self.used + weight - allowed
        if over <= 0:
            return now_ns
        for at, used in self.uses:
            over -= used
            if over <= 0:
                return at + self.rule.window_ns + GUARD_NS
        return now_ns + self.rule.window_ns + GUARD_NS


class RateBudget:
    """What may be asked of one venue from one address.

    Attributes:
        blocked_until_ns: Until when the venue wants to hear nothing, or nothing but cancels.
        banned: Whether the venue has banned the address (418): then cancels wait too.
        refusals: How many answers were 429 or 418.
    """

    def __init__(self, limits: Sequence[RateLimit], *, slow_down_ns: int = SLOW_DOWN_NS) -> None:
        self._slow_down_ns = slow_down_ns
        self._windows = [_Window(rule) for rule in limits]
        self.blocked_until_ns = 0
        self.banned = False
        self.refusals = 0

    def ask(self, path: str, now_ns: int, urgency: Urgency = Urgency.ORDINARY) -> int:
        """Asks to send a request now.

        Args:
            path: Its path and query.
            now_ns: The time.
            urgency: What it is for.

        Returns:
            0 when it may be sent, and then it is counted as sent; else the time at which to ask again.
        """
        if now_ns >= self.blocked_until_ns:
            self.banned = False
        elif self.banned or urgency is not Urgency.CANCEL:
            return self.blocked_until_ns
        wait = now_ns
        weights = []
        for window in self._windows:
            window.forget(now_ns)
            weight = min(window.rule.counts(path), window.rule.limit)
            allowed = window.rule.limit - (0 if urgency is Urgency.CANCEL else window.rule.reserve)
            wait = max(wait, window.free_at(now_ns, weight, max(allowed, min(weight, window.rule.limit))))
            weights.append(weight)
        if wait > now_ns:
            return wait
        for window, weight in zip(self._windows, weights, strict=True):
            window.add(now_ns, weight)
        return 0

    def answered(self, status: int, headers: Mapping[str, str], now_ns: int) -> None:
        """An answer came: learns what others use, and obeys a refusal.

        Args:
            status: HTTP status.
            headers: The answer's headers, names in lower case.
            now_ns: The time.
        """
        for window in self._windows:
            said = headers.get(window.rule.header, "") if window.rule.header else ""
            if said.isdecimal() and len(said) < 12:
                window.forget(now_ns)
                window.add(now_ns, min(int(said), 2 * window.rule.limit) - window.used)
        if status in (418, 429):
            self.refusals += 1
            self.banned = self.banned or status == 418
            text = headers.get("retry-after", "")
            known = text.isdecimal() and len(text) < 9
            wait = int(text) * SECOND if known else BANNED_NS if status == 418 else self._slow_down_ns
            self.blocked_until_ns = max(self.blocked_until_ns, now_ns + max(wait, SECOND))

    def used(self, name: str, now_ns: int) -> int:
        """What is used of a limit."""
        for window in self._windows:
            if window.rule.name == name:
                window.forget(now_ns)
                return window.used
        raise KeyError(name)


@frozen
class _Sample:
    """One answer: our time when it came, the offset in the middle, and how wrong that can be at most."""

    at_ns: int
    offset_ns: int
    error_ns: int

    def error_at(self, now_ns: int) -> int:
        """The error bound, grown by drift."""
        return self.error_ns + abs(now_ns - self.at_ns) * DRIFT_PPM // 1_000_000


class VenueClock:
    """How far the venue's clock is ahead of ours.

    Attributes:
        steps: How many times a clock was found to have been stepped.
        last_step_ns: By how much, the last time.
    """

    def __init__(self, resolution_ns: int = 1_000_000) -> None:
        """``resolution_ns`` is what the venue's time is rounded down to."""
        self.steps = 0
        self.last_step_ns = 0
        self._resolution_ns = resolution_ns
        self._samples: deque[_Sample] = deque(maxlen=SAMPLES)

    def sample(self, sent_ns: int, received_ns: int, venue_ns: int) -> bool:
        """Takes an answer.

        Args:
            sent_ns: Our wall time when the request was sent.
            received_ns: Our wall time when the answer came; the round trip is the difference.
            venue_ns: What the venue said.

        Returns:
            Whether a clock was stepped since the last answer: everything before is forgotten then.
        """
        if received_ns < sent_ns:
            return False
        middle = venue_ns + self._resolution_ns // 2
        half = (received_ns - sent_ns) // 2
        fresh = _Sample(received_ns, middle - sent_ns - half, half + self._resolution_ns // 2 + 1)
        stepped = False
        if self._samples:
            best = self._best(received_ns)
            apart = abs(fresh.offset_ns - best.offset_ns)
            if apart > fresh.error_ns + best.error_at(received_ns):
                stepped = True
                self.steps += 1
                self.last_step_ns = fresh.offset_ns - best.offset_ns
                self._samples.clear()
        self._samples.append(fresh)
        return stepped

    @property
    def known(self) -> bool:
        """Whether there was an answer."""
        return bool(self._samples)

    def offset_ns(self, now_ns: int) -> int:
        """What to add to our wall time to have the venue's; 0 before the first answer."""
        return self._best(now_ns).offset_ns if self._samples else 0

    def error_ns(self, now_ns: int) -> int:
        """How wrong the offset can be at most, as long as the venue tells the truth; a day before the first answer."""
        return self._best(now_ns).error_at(now_ns) if self._samples else 86_400 * SECOND

    def _best(self, now_ns: int) -> _Sample:
        while len(self._samples) > 1 and now_ns - self._samples[0].at_ns > SAMPLE_LIFE_NS:
            self._samples.popleft()
        return min(self._samples, key=lambda sample: sample.error_at(now_ns))


class Retry:
    """When to try a request again that can be repeated: waits that double, drawn from [half, whole].

    Attributes:
        failures: How many times it has failed in a row.
    """

    def __init__(self, seed: int, *, first_ns: int = SECOND // 2, longest_ns: int = 30 * SECOND, most: int = 5) -> None:
        self.failures = 0
        self._jitter = random.Random(seed)
        self._first_ns = first_ns
        self._longest_ns = longest_ns
        self._most = most

    def failed(self, status: int) -> int:
        """An attempt failed with this status, 0 for no answer.

        Returns:
            How long to wait before the next one, in ns; -1 to give up: tried often enough, or what was asked is wrong.
        """
        self.failures += 1
        if self.failures >= self._most or (status and status < 500 and status not in (408, 418, 425, 429)):
            return -1
        wait = min(self._first_ns << min(self.failures - 1, 20), self._longest_ns)
        return wait // 2 + self._jitter.randrange(max(wait - wait // 2, 1))
