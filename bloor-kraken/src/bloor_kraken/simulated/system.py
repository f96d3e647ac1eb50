"""The state of the trading engine (docs.kraken.com, WebSocket v2 "Status", REST "Get System Status")."""

from __future__ import annotations

from enum import Enum

from bloor_kraken.simulated.errors import ApiError, Text

__all__ = ["System", "SystemState"]


class SystemState(Enum):
    """What the engine does. Values are Kraken's words. Only when it is online are orders matched."""

    ONLINE = "online"
    #: Neither new orders nor cancels.
    MAINTENANCE = "maintenance"
    #: Only cancels.
    CANCEL_ONLY = "cancel_only"
    #: Only post-only orders and cancels.
    POST_ONLY = "post_only"


class System:
    """The engine's state, and what it refuses in it.

    Attributes:
        state: The state.
    """

    def __init__(self) -> None:
        self.state = SystemState.ONLINE

    @property
    def online(self) -> bool:
        """Whether orders are matched."""
        return self.state is SystemState.ONLINE

    def check_order(self, *, post_only: bool) -> None:
        """Refuses a new or changed order. Raises ApiError."""
        if self.state is SystemState.MAINTENANCE:
            raise ApiError(Text.UNAVAILABLE)
        if self.state is SystemState.CANCEL_ONLY:
            raise ApiError(Text.CANCEL_ONLY)
        if self.state is SystemState.POST_ONLY and not post_only:
            raise ApiError(Text.POST_ONLY)

    def check_cancel(self) -> None:
        """Refuses a cancel. Raises ApiError."""
        if self.state is SystemState.MAINTENANCE:
            raise ApiError(Text.UNAVAILABLE)
