"""Request weight and order count in aligned windows (rest-api.md, "LIMITS").

An order counts when it is accepted; its first fill takes it off the count again.
"""

from __future__ import annotations

from typing import Any

from attrs import define

from bloor_binance.simulated.errors import ApiError

__all__ = ["RateLimits", "Window"]

_S = 1_000_000_000


@define
class Window:
    """One limit.

    Attributes:
        kind: ``REQUEST_WEIGHT`` or ``ORDERS``.
        interval: ``SECOND``, ``MINUTE`` or ``DAY``.
        count: How many intervals the window is long.
        limit: What may be used in one window.
        length_ns: Its length.
        used: What was used in the present window.
        number: Number of the present window since the epoch.
    """

    kind: str
    interval: str
    count: int
    limit: int
    length_ns: int
    used: int = 0
    number: int = 0

    def at(self, now_ns: int) -> int:
        """What is used in the window of ``now_ns``."""
        number = now_ns // self.length_ns
        if number != self.number:
            self.number = number
            self.used = 0
        return self.used

    def document(self) -> dict[str, Any]:
        """As exchangeInfo lists it."""
        return {
            "rateLimitType": self.kind,
            "interval": self.interval,
            "intervalNum": self.count,
            "limit": self.limit,
        }


class RateLimits:
    """The limits of one client.

    Args:
        scale: Multiplies the limits: a recording played faster than real time needs more of everything.
    """

    def __init__(self, scale: int = 1) -> None:
        self.weight = Window("REQUEST_WEIGHT", "MINUTE", 1, 6_000 * scale, 60 * _S)
        self.orders_10s = Window("ORDERS", "SECOND", 10, 100 * scale, 10 * _S)
        self.orders_day = Window("ORDERS", "DAY", 1, 200_000 * scale, 86_400 * _S)

    @property
    def windows(self) -> tuple[Window, ...]:
        """All of them."""
        return (self.weight, self.orders_10s, self.orders_day)

    def spend(self, weight: int, now_ns: int) -> None:
        """Counts a request.

        Raises:
            ApiError: -1003, status 429, when the weight is used up.
        """
        used = self.weight.at(now_ns) + weight
        if used > self.weight.limit:
            wait = (self.weight.length_ns - now_ns % self.weight.length_ns) // _S + 1
            raise ApiError(
                -1003,
                f"Too much request weight used; current limit is {self.weight.limit} request weight per 1 MINUTE. "
                "Please use WebSocket Streams for live updates to avoid polling the API.",
                429,
                wait,
            )
        self.weight.used = used

    def refund(self, weight: int, now_ns: int) -> None:
        """Takes a request off the count again: placed and cancelled orders cost nothing (CHANGELOG, 2026-04-02)."""
        self.weight.used = max(0, self.weight.at(now_ns) - weight)

    def check_orders(self, now_ns: int) -> None:
        """Refuses an order above the limits.

        Raises:
            ApiError: -1015, status 429.
        """
        for window in (self.orders_10s, self.orders_day):
            if window.at(now_ns) >= window.limit:
                wait = (window.length_ns - now_ns % window.length_ns) // _S + 1
                per = f"{window.count} {window.interval}"
                raise ApiError(
                    -1015, f"Too many new orders; current limit is {window.limit} orders per {per}.", 429, wait
                )

    def ordered(self, now_ns: int) -> None:
        """Counts an accepted order."""
        for window in (self.orders_10s, self.orders_day):
            window.at(now_ns)
            window.used += 1

    def filled(self, now_ns: int) -> None:
        """An order traded for the first time."""
        for window in (self.orders_10s, self.orders_day):
            window.used = max(0, window.at(now_ns) - 1)

    def document(self, now_ns: int, *, orders: bool) -> list[dict[str, Any]]:
        """As an answer of the WebSocket API carries them."""
        windows = (self.orders_10s, self.orders_day) if orders else (self.weight,)
        return [{**window.document(), "count": window.at(now_ns)} for window in windows]

    def headers(self, now_ns: int, *, orders: bool) -> dict[str, str]:
        """As an answer over REST carries them."""
        headers = {"X-MBX-USED-WEIGHT-1M": str(self.weight.at(now_ns)), "X-MBX-USED-WEIGHT": str(self.weight.used)}
        if orders:
            headers["X-MBX-ORDER-COUNT-10S"] = str(self.orders_10s.at(now_ns))
            headers["X-MBX-ORDER-COUNT-1D"] = str(self.orders_day.at(now_ns))
        return headers
