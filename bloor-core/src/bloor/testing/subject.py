"""The venue that cards are about: what its plug-in hands over, and its own simulated venue to talk to."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bloor.errors import PluginError
from bloor.hookspecs import ExecutorSpec, FeedSpec, NormalizerSpec, SimulatedVenueSpec
from bloor.model.instrument import Instrument
from bloor.plugins.host import PluginHost
from bloor.simulation.venue import Outbox, SimulatedVenue, SimulationOptions
from bloor.simulation.world import Latency, VirtualWorld
from bloor.testing.cards.base import does_not_apply
from bloor.testing.listening import Listener
from bloor.testing.trading import SOON, Trader
from bloor.venue.session import Endpoints

__all__ = ["VenueSubject"]

#: Delays that are always the same, so that two connections hear the same at the same time.
STEADY = Latency(100_000, 100_000)


class VenueSubject:
    """One plug-in of a venue.

    Args:
        host: Where it is found.
        plugin: Its name.
        symbols: Canonical symbols to use; empty for its default.
        listing: The venue's list of instruments; empty for that of its simulated venue.

    Attributes:
        plugin: See above.
    """

    def __init__(self, host: PluginHost, plugin: str, symbols: Sequence[str] = (), listing: bytes = b"") -> None:
        self.plugin = plugin
        self._symbols = tuple(symbols)
        self._listing = listing
        self._answers: Mapping[str, Any] = host.answers(plugin)

    # ---- what its hooks hand over -----------------------------------------------------------------------------------

    def _spec(self, hook: str) -> Any:
        if hook not in self._answers:
            word = hook.removeprefix("bloor_").replace("_", " ")
            raise PluginError(self.plugin, f"provides no {word}, which this card needs")
        return self._answers[hook]

    def has(self, hook: str) -> bool:
        """Whether it implements a hook."""
        return hook in self._answers

    @property
    def feed(self) -> FeedSpec:
        """Its feed; PluginError when it has none. So are the next three."""
        spec: FeedSpec = self._spec("bloor_feed")
        return spec

    @property
    def normalizer(self) -> NormalizerSpec:
        """Its normalizer."""
        spec: NormalizerSpec = self._spec("bloor_normalizer")
        return spec

    @property
    def executor(self) -> ExecutorSpec:
        """Its executor."""
        spec: ExecutorSpec = self._spec("bloor_executor")
        return spec

    @property
    def simulation(self) -> SimulatedVenueSpec:
        """Its simulated venue; the card does not apply when it has none."""
        if not self.has("bloor_simulated_venue"):
            does_not_apply("it has no simulated venue to talk to (hook bloor_simulated_venue)")
        spec: SimulatedVenueSpec = self._answers["bloor_simulated_venue"]
        return spec

    @property
    def config(self) -> Any:
        """Its configuration with every default; None when it has none."""
        cls = self._answers.get("bloor_venue_config")
        return None if cls is None else cls()

    # ---- what is traded there ---------------------------------------------------------------------------------------

    @property
    def symbols(self) -> tuple[str, ...]:
        """The canonical symbols to use."""
        return self._symbols or ((self.feed.default_symbol,) if self.has("bloor_feed") else ())

    @property
    def listing(self) -> bytes:
        """The venue's list of instruments, as it answers."""
        return self._listing or self.world().fetch(self.feed.instruments_path(self.symbols))

    def instruments(self, symbols: Sequence[str] = ()) -> list[Instrument]:
        """The instruments of some symbols, by default of :attr:`symbols`.

        Raises:
            AssertionError: One is not listed.
        """
        wanted = tuple(symbols) or self.symbols
        listed = {i.symbol: i for i in self.listed}
        missing = [symbol for symbol in wanted if symbol not in listed]
        assert not missing, f"{missing[0]} is not in the venue's list ({', '.join(list(listed)[:8])}); set `symbols`"
        return [listed[symbol] for symbol in wanted] or list(listed.values())

    @property
    def listed(self) -> list[Instrument]:
        """Every instrument of the list."""
        if self.has("bloor_feed"):
            return list(self.feed.parse_instruments(self.listing))
        if not self._listing:
            does_not_apply("nothing is declared to be listed (`listing`), and it has no feed that could ask")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "instruments.json"
            path.write_bytes(self._listing)
            return list(self.normalizer.instruments(path))

    # ---- its simulated venue ----------------------------------------------------------------------------------------

    def options(self, seed: int = 1, faults: str = "", symbols: Sequence[str] = ()) -> SimulationOptions:
        """What its simulated venue is asked to be."""
        return SimulationOptions(seed=seed, faults=faults, symbols=tuple(symbols) or self.symbols)

    def core(self, outbox: Outbox, **options: Any) -> SimulatedVenue:
        """Its simulated venue, not started."""
        return self.simulation.build(self.options(**options), outbox)

    def world(self, seed: int = 1, faults: str = "", symbols: Sequence[str] = ()) -> VirtualWorld:
        """Its simulated venue in virtual time, at the start; the card does not apply when it has none."""
        build, options = self.simulation.build, self.options(seed, faults, symbols)
        return VirtualWorld(lambda outbox: build(options, outbox), latency=STEADY, seed=seed)

    def listen(
        self, seed: int = 1, faults: str = "", symbols: Sequence[str] = (), *, compiled: bool = True
    ) -> Listener:
        """Its feed at its simulated venue, not yet connected."""
        world = self.world(seed, faults, symbols)
        return Listener(
            world, self.feed, self.normalizer, self.config, self.instruments(symbols), seed=seed, compiled=compiled
        )

    def listen_beside(self, listener: Listener) -> Listener:
        """Another listener at the same venue, over a connection of its own that opens now."""
        return Listener(
            listener.world, self.feed, self.normalizer, self.config, self.instruments(), seed=2, beside=listener
        )

    def trade(
        self,
        seed: int = 1,
        faults: str = "",
        *,
        keys: Mapping[str, Any] | None = None,
        world: VirtualWorld | None = None,
    ) -> Trader:
        """Its order session at its simulated venue, not yet connected.

        Args:
            seed: Fixes the venue.
            faults: What the venue does wrong.
            keys: What opens the account; by default what the venue prints.
            world: The venue, when there is one already.
        """
        there = world or self.world(seed, faults)
        printed = there.venue.credentials() if keys is None else keys
        executor = self.executor
        return Trader(there, executor, self.config, executor.credentials(printed), self.instruments())

    def trade_when_ready(self) -> tuple[Trader, Instrument, int]:
        """Its order session, ready; an instrument, and its best bid two seconds after the venue has opened.

        Raises:
            AssertionError: The session did not become ready soon.
        """
        if not self.has("bloor_executor"):
            does_not_apply("it has no executor that could trade there (hook bloor_executor)")
        listener = self.listen()
        listener.run(2)
        instrument = self.instruments()[0]
        bid = listener.books[instrument.venue_symbol].view.best_bid
        trader = self.trade()
        trader.run(SOON, until=lambda: trader.session.ready)
        assert trader.session.ready, (
            f"the order session is not ready after {SOON} s; could not be read: {trader.refused}; told: {trader.told}; "
            f"answers: {trader.answers[-2:]!r:.400}; frames: {trader.received[-2:]!r:.400}"
        )
        return trader, instrument, bid

    @property
    def endpoints(self) -> Endpoints:
        """Where a session believes the venue to be, when nobody is there."""
        return next(iter(self.feed.endpoints.values()))
