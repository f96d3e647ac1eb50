"""The cards of a strategy: bounded parameters, the same decisions each time and in both forms, no harm when wrong."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from attrs import evolve

from bloor.errors import BloorError
from bloor.model.instrument import Instrument
from bloor.plugins.catalog import Kind
from bloor.strategy.api import Strategy
from bloor.strategy.memory import METHODS
from bloor.strategy.params import config_class, params_of
from bloor.testing.bothforms import INSTRUMENT, BothForms
from bloor.testing.cards.base import Cards, does_not_apply
from bloor.testing.examples import for_examples, for_seeds, strategies
from bloor.testing.instruments import TRADED
from bloor.testing.playing import Market, OneForm, Play, StageOrders
from bloor.testing.sealed import sealed

__all__ = ["StrategyCards"]

#: Events of one play.
STEPS = 150


class StrategyCards(Cards):
    """What every strategy promises.

    Attributes:
        legs: What a strategy of several instruments is played in, each with the price in ticks at which it begins; none
            for the same pair at two venues, in every precision. At these prices there must be nothing to gain.
        symbols: What such a strategy trades in a run, each ``venue:SYMBOL``; none for the default of the first two
            simulated venues that are installed.
        sets: ``section.key=value`` of the configuration of such a run, where it needs any.
    """

    kind: ClassVar[str] = "strategy"
    hook: ClassVar[str] = "bloor_strategy"
    legs: ClassVar[Sequence[tuple[Instrument, int]]] = ()
    symbols: ClassVar[Sequence[str]] = ()
    sets: ClassVar[Sequence[str]] = ()

    @property
    def strategy(self) -> type[Strategy]:
        """The plug-in's class."""
        cls: type[Strategy] = self.host.answers(self.plugin)[self.hook]
        return cls

    def capabilities(self) -> dict[str, bool | str]:
        """Its compiled form, and what it listens to."""
        cls = self.strategy
        own = [
            name.removeprefix("on_") for name in METHODS.values() if getattr(cls, name) is not getattr(Strategy, name)
        ]
        trades = {"trades": "its instruments together"} if cls.together else {}
        return {"compiled form": cls.compiled, "handlers": ", ".join(own) or "none", **trades}

    def played(
        self, seed: int, market: Market = Market.MOVING, *, config: Any = None, instrument: Instrument = INSTRUMENT
    ) -> Play:
        """A play of the Python form that is over."""
        play = self._play(seed, market, config=config, instrument=instrument)
        play.run(STEPS)
        return play

    def test_s01_its_class_says_what_it_is(self) -> None:
        """The class has the plug-in's name, a docstring, and at least one handler of its own.

        Journals and results name the strategy by it; the text is what ``bloor plugins info`` shows.
        """
        cls = self.strategy
        assert cls.name == self.plugin, f"{cls.__name__}.name: expected {self.plugin!r}, got {cls.name!r}"
        doc = cls.__doc__ if cls.__doc__ != Strategy.__doc__ else ""
        assert (doc or "").strip(), f"{cls.__name__}: expected a docstring that says what it does"
        assert _handlers(cls), (
            f"{cls.__name__}: expected a handler such as on_trade or on_book, got none: it would do nothing"
        )

    def test_s02_its_parameters_are_documented(self) -> None:
        """Every parameter says what it means, and with which unit, in ``doc=``.

        It is all that a person reads before changing the number.
        """
        bare = [name for name, (_, p) in params_of(self.strategy).items() if len(p.doc.split()) < 2]
        assert not bare, f"expected param(..., doc='what it means, in which unit') of {', '.join(bare)}"

    def test_s03_its_parameters_are_bounded(self) -> None:
        """Every number has a lowest and a highest value, its default between them, and the configuration keeps to it.

        A mistyped zero should be refused when the run starts; an optimizer searches between the bounds.
        """
        cls = self.strategy
        for name, (kind, declared) in params_of(cls).items():
            if kind is bool:
                continue
            low, high = declared.low, declared.high
            assert low is not None and high is not None, (
                f"{cls.__name__}.{name}: expected param(..., low=..., high=...), got low={low}, high={high}"
            )
            assert low <= declared.default <= high, (
                f"{cls.__name__}.{name}: expected a default of {low} to {high}, got {declared.default}"
            )
            for beyond in (low - 1, high + 1 if high < 2**53 else high * 2):
                try:
                    config_class(cls)(**{name: kind(beyond)})
                except (ValueError, BloorError):
                    continue
                raise AssertionError(f"{cls.__name__}.{name}: expected {beyond} to be refused, and it was taken")

    def test_s04_it_bears_its_bounds(self) -> None:
        """With each parameter at its lowest and at its highest, no handler raises.

        What the bounds allow is what users and optimizers will try.
        """
        for name, value in self._extremes():
            play = self.played(1, config=config_class(self.strategy)(**{name: value}))
            assert not play.raised, f"with {name} = {value}, {_first(play)}; bound it more narrowly or handle it"

    def test_s05_without_data_it_does_nothing(self) -> None:
        """While the book is empty, one-sided or out of sync, it asks for no order and raises nothing.

        Such a book comes at every start and after every lost connection; its empty side has the price ``NO_PRICE``.
        """
        for seed in range(8):
            play = self.played(seed, Market.BLIND)
            assert not play.raised, f"{_first(play)}; look at book.two_sided before you use a price"
            assert not play.stage.asked, f"asked for {play.stage.asked[0]} without a two-sided book"

    def test_s06_a_still_market_is_left_alone(self) -> None:
        """While the same book and the same trades come again and again, orders end: none after the first minute.

        Nothing has changed, so there is nothing to decide; whoever goes on asking pays fees or rate limits for it.
        """
        play = self._play(1, Market.STILL)
        play.run(900)
        early = len(play.stage.asked)
        for _ in range(600):
            play.step()
        assert not play.raised, _first(play)
        late = len(play.stage.asked) - early
        assert late == 0, f"asked {late} times more after a minute of a market in which nothing moves"

    def test_s07_the_same_market_the_same_decisions(self) -> None:
        """Two instances that see the same events ask for the same, without clock, chance or files.

        A replay must come to the same decisions; time is in ``orders.now_ns``.
        """
        for seed in range(5):
            first = self.played(seed).stage.asked
            with sealed(f"{self.strategy.__name__}"):
                second = self.played(seed)
            assert not second.raised, _first(second)
            assert first == second.stage.asked, "two instances saw the same events and asked for different orders"

    def test_s08_instances_share_nothing(self) -> None:
        """An instance decides as it does alone while another one is at work beside it.

        There is one instance for each instrument, or each run; a list or dictionary in the class would be one for all.
        """
        alone = self.played(1).stage.asked
        one, other = self._play(1), self._play(2)
        for play in (one, other):
            play.start()
        for _ in range(STEPS):
            other.step()
            one.step()
        one.stop()
        assert one.stage.asked == alone, (
            "it asked for other orders with a second instance beside it; keep state in annotated attributes of the "
            "instance (numbers, bloor.strategy.arrays), not in objects of the class"
        )

    def test_s09_it_bears_any_market(self) -> None:
        """In far jumps, huge quantities, empty books, and in instruments of every precision, no handler raises.

        A handler that raises halts the strategy in that instrument, in the moment when it is needed most.
        """

        def bears(seed: int, which: int, wild: bool) -> None:
            market = Market.WILD if wild else Market.MOVING
            play = self.played(seed, market, instrument=TRADED[which])
            assert not play.raised, f"in {market.value} market, seed {seed}: {_first(play)}"

        st = strategies()
        for_examples(bears, st.integers(0, 1 << 32), st.integers(0, len(TRADED) - 1), st.booleans(), daily=30)

    def test_s10_it_asks_for_possible_orders(self) -> None:
        """Each order has a price of at least one tick and at least the instrument's smallest quantity.

        The gate denies others: nothing is lost but the moment, and nobody notices.
        """

        def possible(seed: int, which: int) -> None:
            stage = self.played(seed, instrument=TRADED[which]).stage
            for order, leg in zip(stage.asked, stage.asked_on, strict=True):
                if len(order) == 5:
                    instrument = stage.legs[leg].instrument
                    side, price, lots = (int(cell) for cell in order[:3])
                    assert side in (1, -1) and price >= 1 and lots >= instrument.min_lots, (
                        f"asked for {lots} lots at {price} ticks; smallest are {instrument.min_lots} and 1"
                    )

        st = strategies()
        for_examples(possible, st.integers(0, 1 << 32), st.integers(0, len(TRADED) - 1), daily=30)

    def test_s11_it_can_be_compiled(self) -> None:
        """Declared ``compiled = True``, every handler compiles and every attribute has a cell.

        Otherwise every run that names it stops with the line that cannot be compiled.
        """
        self._compiled()

    def test_s12_both_forms_are_one(self) -> None:
        """Compiled and in Python, it asks for the same orders and leaves the same memory, event by event.

        Floats included, bit by bit. A replay may run the other form.
        """
        self._compiled()

        def same(seed: int) -> None:
            Play(self._both(), seed, prices=self._prices).run(STEPS)

        for_seeds(same, daily=40)

    def test_s13_both_forms_are_one_in_any_market(self) -> None:
        """Far jumps, empty books, extreme parameters and every precision of prices make no difference between them.

        Machine code wraps where Python grows, and divides where Python raises.
        """
        self._compiled()
        configs = [None, *(config_class(self.strategy)(**{name: value}) for name, value in self._extremes())]

        def same(seed: int, config: int, which: int) -> None:
            Play(self._both(configs[config], TRADED[which]), seed, Market.WILD, prices=self._prices).run(STEPS)

        st = strategies()
        which = st.integers(0, len(TRADED) - 1)
        for_examples(same, st.integers(0, 1 << 32), st.integers(0, len(configs) - 1), which, daily=40)

    def test_s14_it_runs_at_a_venue(self) -> None:
        """A minute at a simulated venue, in virtual time: it is not halted, and a second run decides the same.

        Here it meets the gate, latencies, fills and refusals. Applies where a venue plug-in with a simulation is
        installed.
        """
        runs = [self._run([self.strategy]) for _ in range(2)]
        for run in runs:
            run.for_seconds(60)
            run.finish()
            halted = [desk.halted for desk in run.engine.desks if desk.halted]
            assert not halted, f"it was halted: {halted[0]}"
        assert runs[0].engine.log.hexdigest() == runs[1].engine.log.hexdigest(), "two runs of one seed differ"

    def test_s15_when_it_raises_only_it_is_halted(self) -> None:
        """A failing handler halts this strategy with a reason, and another strategy of the same run goes on.

        It is the host's promise, kept for a class like this one: state, handlers and parameters as they are here.
        """
        heard: list[int] = []

        class Failing(self.strategy):  # type: ignore[name-defined,misc]
            name = "failing-card"
            compiled = False

            def on_book(self, book: Any, orders: Any) -> None:
                raise ArithmeticError("made to fail by card S15")

        class Watching(Strategy):
            name = "watching-card"

            def on_book(self, book: Any, orders: Any) -> None:
                heard.append(orders.now_ns)

        run = self._run([Failing, Watching])
        run.for_seconds(5)
        failing = [desk.halted for desk in run.engine.desks if isinstance(desk.strategy, Failing)]
        watching = [desk.halted for desk in run.engine.desks if isinstance(desk.strategy, Watching)]
        assert all("made to fail" in why for why in failing), f"expected it to be halted, got {failing}"
        assert not any(watching) and len(heard) > 1, "the other strategy did not go on"

    # ---- what the cards need ----------------------------------------------------------------------------------------

    def _extremes(self) -> Iterator[tuple[str, int | float | bool]]:
        for name, (kind, declared) in params_of(self.strategy).items():
            for value in (declared.low, declared.high) if kind is not bool else (True, False):
                if value is not None:
                    yield name, kind(value)

    def _compiled(self) -> None:
        if not self.strategy.compiled:
            does_not_apply("it is not declared compiled; with `compiled = True` it decides in machine code")
        self._both()

    def _both(self, config: Any = None, instrument: Instrument = INSTRUMENT) -> BothForms:
        first, *others = self._instruments(instrument)
        return BothForms(self.strategy, config, first, StageOrders, others=others)

    def _play(
        self, seed: int, market: Market = Market.MOVING, *, config: Any = None, instrument: Instrument = INSTRUMENT
    ) -> Play:
        """A play of the Python form that has not begun."""
        first, *others = self._instruments(instrument)
        return Play(OneForm(self.strategy, config, first, others=others), seed, market, prices=self._prices)

    def _instruments(self, instrument: Instrument) -> list[Instrument]:
        """What is played in, of the precision of an instrument where that is open."""
        if not self.strategy.together:
            return [instrument]
        return [leg for leg, _ in self.legs] or [instrument, evolve(instrument, venue="other")]

    @property
    def _prices(self) -> list[int]:
        """Where the prices begin; none where that is open."""
        return [price for _, price in self.legs] if self.strategy.together else []

    def _run(self, classes: list[type[Strategy]]) -> Any:
        from bloor.testing.virtual import VirtualRun

        venues = [
            name for name in self.host.catalog.names(Kind.VENUE)
            if "bloor_simulated_venue" in self.host.load(name).hooks
        ]  # fmt: skip
        if not venues:
            does_not_apply("no venue with a simulation is installed here; pip install bloor-binance")
        named = [self.plugin] if classes[0] is self.strategy else []
        places = venues[: 2 if self.strategy.together else 1]
        symbols = self.symbols if self.strategy.together else ()
        if symbols:
            places = list(dict.fromkeys(text.partition(":")[0] for text in symbols))
            if missing := sorted(set(places) - set(venues)):
                does_not_apply(f"no simulation of {' and '.join(missing)} is installed here, where it trades")
        return VirtualRun(
            named, strategies=classes[len(named) :], venue=places, symbols=symbols, sets=tuple(self.sets), seed=1
        )


def _handlers(cls: type[Strategy]) -> list[str]:
    """The handlers that a strategy has of its own."""
    return [name for name in METHODS.values() if getattr(cls, name) is not getattr(Strategy, name)]


def _first(play: Play) -> str:
    """What was raised first."""
    if not play.raised:
        return "nothing was raised"
    handler, error = play.raised[0]
    lines = inspect.getinnerframes(error.__traceback__)[-1:] if error.__traceback__ else []
    where = f" ({lines[0].filename}:{lines[0].lineno})" if lines else ""
    return f"{METHODS[handler]} raised {type(error).__name__}: {error}{where}"
