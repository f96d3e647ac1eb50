"""How much may be asked over REST ("Advanced Trade REST API Rate Limits"): each second so much, with a short burst.

Public requests are counted for everybody together, since all clients have one address here; private ones for each
account. The figures that the answers' headers carry are those of the limit that the request fell under.
"""

from __future__ import annotations

from bloor_coinbase.simulated.errors import too_many

__all__ = ["RateLimits"]

_S = 1_000_000_000
#: Requests per second, and how many may come at once.
PUBLIC, PUBLIC_BURST = 10, 20
PRIVATE, PRIVATE_BURST = 30, 60


class _Bucket:
    """Requests that may still come; it fills up with time."""

    def __init__(self, per_s: int, burst: int) -> None:
        self.per_s = per_s
        self.burst = burst
        self._left_ns = burst * _S
        self._at_ns = 0

    def take(self, now_ns: int) -> bool:
        self._left_ns = min(self.burst * _S, self._left_ns + max(0, now_ns - self._at_ns) * self.per_s)
        self._at_ns = max(self._at_ns, now_ns)
        if self._left_ns < _S:
            return False
        self._left_ns -= _S
        return True

    def headers(self) -> dict[str, str]:
        full_s = -(-(self.burst * _S - self._left_ns) // (self.per_s * _S))
        return {
            "x-ratelimit-limit": str(self.per_s),
            "x-ratelimit-remaining": str(self._left_ns // _S),
            "x-ratelimit-reset": str(full_s),
        }


class RateLimits:
    """The limits of all clients.

    Args:
        scale: Multiplies the limits: a recording played faster than real time needs more of everything.
    """

    def __init__(self, scale: int = 1) -> None:
        self._scale = scale
        self._public = _Bucket(PUBLIC * scale, PUBLIC_BURST * scale)
        self._private: dict[int, _Bucket] = {}

    def spend(self, account: int, now_ns: int) -> None:
        """Counts a request; account 0 is the public. Raises ApiError 429."""
        bucket = self._bucket(account)
        if not bucket.take(now_ns):
            error = too_many()
            error.headers.update({**bucket.headers(), "retry-after": "1"})
            raise error

    def headers(self, account: int) -> dict[str, str]:
        """What answers tell of the limit."""
        return self._bucket(account).headers()

    def _bucket(self, account: int) -> _Bucket:
        if not account:
            return self._public
        fresh = _Bucket(PRIVATE * self._scale, PRIVATE_BURST * self._scale)
        return self._private.setdefault(account, fresh)
