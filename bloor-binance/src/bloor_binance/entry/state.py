"""What an order connection is at the moment, known to the ordinary and to the compiled form of order entry alike."""

from __future__ import annotations

from collections.abc import Sequence

from bloor.model.instrument import Instrument
from bloor.venue.entry import CompiledEntry
from bloor_binance.entry.pieces import BinanceEntry

__all__ = ["EntryState"]


class EntryState:
    """Three attributes of an order session; whenever one is set, the cells of the compiled form are made true.

    Attributes:
        entry: The compiled form of ``place`` and ``cancel``.
    """

    def __init__(self, instruments: Sequence[Instrument], recv_window_ms: int) -> None:
        made = BinanceEntry(instruments, recv_window_ms)
        self.entry: CompiledEntry = made.compiled
        self._allow = made.allow
        self.__ready = self.__logged_on = False
        self.__offset_ns = 0

    @property
    def ready(self) -> bool:
        """Whether the connection is authenticated and its private stream is open."""
        return self.__ready

    @ready.setter
    def ready(self, value: bool) -> None:
        self.__ready = value
        self._allow(value and self.__logged_on, self.__offset_ns)

    @property
    def _logged_on(self) -> bool:
        """Whether no request of the connection needs a signature."""
        return self.__logged_on

    @_logged_on.setter
    def _logged_on(self, value: bool) -> None:
        self.__logged_on = value
        self._allow(self.__ready and value, self.__offset_ns)

    @property
    def offset_ns(self) -> int:
        """Venue clock less ours, ns, as measured when the connection opened."""
        return self.__offset_ns

    @offset_ns.setter
    def offset_ns(self, value: int) -> None:
        self.__offset_ns = value
        self._allow(self.__ready and self.__logged_on, value)
