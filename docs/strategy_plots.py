"""Makes the plots of the pages on strategies: ``python docs/strategy_plots.py [NAME ...]``.

Each is a run in virtual time with a seed, so it is the same everywhere: prices and fills, what was held, and the profit
with and without fees. The SVG is written by hand, has its own background in light and dark, and goes to
``docs/images/strategies/NAME.svg``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from math import ceil, exp, floor, log10
from pathlib import Path
from typing import Any, NamedTuple

from bloor.engine.desk import Desk
from bloor.testing.virtual import VirtualRun
from bloor_strategies.reversion import half_life

FOLDER = Path(__file__).parent / "images" / "strategies"
WIDTH, LEFT, RIGHT = 880, 78, 20
#: Most points of a line.
POINTS = 480

#: A line beside the price: what it is called, and its value in ticks for a desk, None where there is none.
Extra = tuple[str, Callable[[Desk], float | None]]


class Picture(NamedTuple):
    """What a plot is made of.

    Attributes:
        seconds: Length of the run.
        sets: ``key=value`` of the strategy's parameters.
        extra: Lines beside the price, at most three.
        symbols: What is traded; the plot shows the first.
        seed: Of the market.
        venue: Where.
        market: ``section.key=value`` of the market and the run.
        beyond: Whether the profit is that of all instruments together, beyond holding what was bought at first.
        aside: A line in a panel of its own, in its own unit.
    """

    seconds: float
    sets: tuple[str, ...] = ()
    extra: tuple[Extra, ...] = ()
    symbols: tuple[str, ...] = ("BTC-USDT",)
    seed: int = 1
    venue: str | tuple[str, ...] = "binance"
    market: tuple[str, ...] = ()
    beyond: bool = False
    aside: Extra | None = None


class Series(NamedTuple):
    """A run, sampled: a row per sample in each, prices and money in the quote asset."""

    times: list[float]
    mids: list[float]
    extra: list[list[float | None]]
    held: list[float]
    gross: list[float]
    net: list[float]
    fills: list[tuple[float, int, float]]
    aside: list[float | None]


def _own_quote(side: int) -> Callable[[Desk], float | None]:
    def price(desk: Desk) -> float | None:
        strategy = desk.strategy
        return float(strategy.price[side]) if strategy.number[side] else None  # type: ignore[attr-defined]

    return price


def _ahead(desk: Desk) -> float | None:
    strategy: Any = desk.strategy
    return float(strategy.micro_price()) - strategy.mid2 / 2 if strategy.state >= 0 else None


def _fitted(deviations: float) -> Callable[[Desk], float | None]:
    def price(desk: Desk) -> float | None:
        strategy: Any = desk.strategy
        returns = strategy.deviation > 0.0 and half_life(strategy.b) <= strategy.half_life
        return exp(strategy.mean + deviations * strategy.deviation) if returns else None

    return price


def _related(desk: Desk) -> float | None:
    strategy: Any = desk.strategy
    if strategy.deviation <= 0.0:
        return None
    return exp(strategy.alpha + strategy.mean + strategy.beta * strategy.last_x)


def _elsewhere(desk: Desk) -> float | None:
    other = desk.of(1)
    return other.mark2 * other.tick / (2 * desk.tick) if other.mark2 else None


def _by_the_cross(desk: Desk) -> float | None:
    cross, main = desk.of(1), desk.of(2)
    return cross.mark2 * cross.tick * main.mark2 * main.tick / (4 * desk.tick) if cross.mark2 and main.mark2 else None


def _average(name: str) -> Callable[[Desk], float | None]:
    def price(desk: Desk) -> float | None:
        strategy: Any = desk.strategy
        return float(getattr(strategy, name)) if strategy.seen > strategy.slow else None

    return price


QUOTES: tuple[Extra, ...] = (("own bid", _own_quote(0)), ("own ask", _own_quote(1)))

#: Name of the strategy -> its plot.
PICTURES: dict[str, Picture] = {
    "arbitrage": Picture(
        90,
        venue=("binance", "kraken"),
        market=("sim.dislocations=10",),
        extra=(("other venue", _elsewhere),),
        beyond=True,
    ),
    "avellaneda-stoikov": Picture(45, extra=QUOTES),
    "glft": Picture(45, extra=QUOTES),
    "grid": Picture(150, sets=("step_bps=1", "levels=6", "follow=true")),
    "imbalance": Picture(60),
    "mean-reversion": Picture(60, extra=(("mean", _fitted(0.0)), ("entry", _fitted(-1.25)))),
    "micro-price": Picture(40, aside=("micro-price less mid, ticks", _ahead)),
    "momentum": Picture(
        60,
        sets=("fast=20", "slow=100", "threshold=3"),
        extra=(("fast average", _average("ema_fast")), ("slow average", _average("ema_slow"))),
    ),
    "pairs": Picture(60, extra=(("by the other leg", _related),), symbols=("ETH-USDT", "SOL-USDT")),
    "triangular": Picture(
        90,
        symbols=("ETH-USDT", "ETH-BTC", "BTC-USDT"),
        market=("sim.dislocations=10", "run.rates.BTC=60000"),
        extra=(("by way of BTC", _by_the_cross),),
        beyond=True,
    ),
}


def recorded(name: str, picture: Picture) -> Series:
    """Runs a strategy and samples the run."""
    sets = [*picture.market, *(f"strategy.{name}.{each}" for each in picture.sets)]
    run = VirtualRun([name], venue=picture.venue, symbols=picture.symbols, seed=picture.seed, sets=sets)
    desk = run.engine.desks[0]
    instrument = desk.instrument
    tick, unit = float(instrument.tick_size), 10.0**-instrument.qty_decimals
    series = Series([], [], [[] for _ in picture.extra], [], [], [], [], [])
    begin, seen, cash, fees, held = run.world.now_ns, 0, 0.0, 0.0, 0
    step = picture.seconds / POINTS
    for _ in range(POINTS):
        run.for_seconds(step)
        mid = desk.mark2 * tick / 2
        for fill in run.fills[seen:]:
            seen += 1
            if fill.instrument != instrument:
                continue
            price = fill.price_ticks * tick
            held += fill.side * fill.units
            cash -= fill.side * fill.units * unit * price
            fees += float(fill.fee_quote)
            series.fills.append(((fill.recv_ns - begin) / 1e9, fill.side, price))
        if not mid:
            continue
        series.times.append((run.world.now_ns - begin) / 1e9)
        series.mids.append(mid)
        for line, (_, value) in zip(series.extra, picture.extra, strict=True):
            at = value(desk)
            line.append(None if at is None else at * tick)
        if picture.aside:
            series.aside.append(picture.aside[1](desk))
        series.held.append(held * unit)
        series.gross.append(cash + held * unit * mid)
        series.net.append(series.gross[-1] - fees)
        if picture.beyond:
            series.gross[-1], series.net[-1] = beyond(run)
    return series


def beyond(run: VirtualRun) -> tuple[float, float]:
    """What all orders have earned but the first ones that built the inventory, before and after fees.

    In the quote asset of the first instrument; others that are not among the instruments' bases count at par.
    """
    home, strategy = run.engine.desks[0].instrument.quote, run.engine.desks[0].strategy
    worth = {home: 1.0}
    for desk in run.engine.desks:
        if desk.instrument.quote == home and desk.mark2:
            worth.setdefault(desk.instrument.base, desk.mark2 * float(desk.instrument.tick_size) / 2)
    gross = fees = 0.0
    begun = int(strategy.begun_ns)  # type: ignore[attr-defined]
    for fill in run.fills:
        if begun and fill.recv_ns > begun:
            i = fill.instrument
            amount, price = fill.side * fill.units * 10.0**-i.qty_decimals, fill.price_ticks * float(i.tick_size)
            quote = worth.get(i.quote, 1.0)
            gross += amount * (worth[i.base] - price * quote)
            fees += float(fill.fee_quote) * quote
    return gross, gross - fees


# ---- drawing --------------------------------------------------------------------------------------------------------

STYLE = """
.bg{fill:#fff}.grid{stroke:#e3e6ea;stroke-width:1}.axis,.small{fill:#5a6472;font:11px system-ui,sans-serif}
.title{fill:#1c2430;font:600 15px system-ui,sans-serif}.panel{fill:#1c2430;font:600 12px system-ui,sans-serif}
.line{fill:none;stroke-width:1.4;stroke-linejoin:round}.mid{stroke:#5a6472}.x0{stroke:#2f7ed8;opacity:.55}
.x1{stroke:#e8743b;opacity:.6}.x2{stroke:#7a5cc9;opacity:.8}.held{stroke:#7a5cc9}.gross{stroke:#2a9d76}
.net{stroke:#c23b5a}.buy{fill:#2f7ed8}.sell{fill:#e8743b}.zero{stroke:#9aa4b1;stroke-dasharray:3 3}
@media (prefers-color-scheme:dark){.bg{fill:#14181f}.grid{stroke:#2a313c}.axis,.small{fill:#9aa4b1}
.title,.panel{fill:#e6eaf0}.mid{stroke:#aab4c0}.x0{stroke:#5aa2f0}.x1{stroke:#ff9a66}.x2,.held{stroke:#a48cf0}
.gross{stroke:#4cc79b}.net{stroke:#f06a88}.buy{fill:#5aa2f0}.sell{fill:#ff9a66}}
"""


class Panel:
    """One set of axes; collects SVG."""

    def __init__(self, top: int, height: int, times: Sequence[float], values: Sequence[float], title: str) -> None:
        self.parts: list[str] = []
        self._top, self._height = top, height
        self._end = max(times[-1], 1e-9)
        low, high = min(values), max(values)
        margin = (high - low) * 0.08 or abs(high) * 1e-4 or 1.0
        self._low, self._high = low - margin, high + margin
        self.text(LEFT, top - 7, title, "panel")
        step = nice((self._high - self._low) / (height / 34))
        level = ceil(self._low / step) * step
        while level <= self._high:
            y = self.y(level)
            self.parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
            self.text(LEFT - 7, y + 4, f"{level:,.{places(step)}f}".replace("-0.00", "0.00"), "axis", "end")
            level += step

    def x(self, time: float) -> float:
        """Where a time is."""
        return LEFT + time / self._end * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Where a value is."""
        return self._top + (self._high - value) / (self._high - self._low) * self._height

    def text(self, x: float, y: float, text: str, kind: str, anchor: str = "start") -> None:
        """Writes."""
        self.parts.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>')

    def line(self, times: Sequence[float], values: Sequence[float | None], kind: str, *, steps: bool = False) -> None:
        """Draws a line, interrupted where there is no value."""
        path, pen = [], "M"
        for time, value in zip(times, values, strict=True):
            if value is None or not self._low <= value <= self._high:
                pen = "M"
                continue
            x, y = f"{self.x(time):.0f}", f"{self.y(value):.1f}"
            path.append(f"M{x} {y}" if pen == "M" else f"H{x}V{y}" if steps else f"L{x} {y}")
            pen = "L"
        self.parts.append(f'<path class="line {kind}" d="{"".join(path)}"/>')

    def marks(self, fills: Sequence[tuple[float, int, float]]) -> None:
        """Draws triangles at fills."""
        for side, kind in ((1, "buy"), (-1, "sell")):
            path = "".join(
                f"M{self.x(time):.0f} {self.y(price) + 5 * side:.0f}l4.5 {7 * side}h-9z"
                for time, sign, price in fills if sign == side and self._low <= price <= self._high
            )  # fmt: skip
            self.parts.append(f'<path class="{kind}" d="{path}"/>')

    def legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """Names the lines at the top right, the last one first."""
        x = WIDTH - RIGHT
        for name, kind in reversed(entries):
            self.text(x, self._top - 7, name, "small", "end")
            x -= int(6.3 * len(name)) + 6
            if kind in ("buy", "sell"):
                side = 1 if kind == "buy" else -1
                y = self._top - 11 - 3.5 * side
                self.parts.append(f'<path class="{kind}" d="M{x - 5} {y}l4.5 {7 * side}h-9z"/>')
                x -= 18
            else:
                self.parts.append(f'<path class="line {kind}" d="M{x - 18} {self._top - 11}h18"/>')
                x -= 30


def nice(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** floor(log10(step))
    return next(n * power for n in (1, 2, 5, 10) if n * power >= step * 0.999)


def places(step: float) -> int:
    """Decimals that tell multiples of a step apart."""
    return max(0, -floor(log10(step) + 1e-9))


def svg(title: str, series: Series, picture: Picture, base: str, quote: str) -> str:
    """The plot as text."""
    times, shift = series.times, 128 if picture.aside else 0
    price_at, held_at, profit_at = (62, 230), (334 + shift, 86), (462 + shift, 110)
    shown = [*series.mids, *(price for _, _, price in series.fills)]
    price = Panel(*price_at, times, shown, f"price, {quote}")
    price.line(times, series.mids, "mid")
    for index, values in enumerate(series.extra):
        price.line(times, values, f"x{index}", steps=True)
    price.marks(series.fills)
    names = [("mid", "mid"), *((name, f"x{index}") for index, (name, _) in enumerate(picture.extra))]
    price.legend([*names, ("buys", "buy"), ("sells", "sell")])
    middle = []
    if picture.aside:
        aside = Panel(334, 86, times, [0.0, *(value for value in series.aside if value is not None)], picture.aside[0])
        aside.line(times, [0.0] * len(times), "zero")
        aside.line(times, series.aside, "x0", steps=True)
        middle = aside.parts
    held = Panel(*held_at, times, [0.0, *series.held], f"held, {base}")
    held.line(times, series.held, "held", steps=True)
    profit = Panel(*profit_at, times, [0.0, *series.gross, *series.net], f"profit, {quote}")
    profit.line(times, [0.0] * len(times), "zero")
    profit.line(times, series.gross, "gross")
    profit.line(times, series.net, "net")
    profit.legend([("before fees", "gross"), ("after fees", "net")])
    bottom = profit_at[0] + profit_at[1]
    step = nice(times[-1] / 9)
    for n in range(int(times[-1] / step) + 1):
        profit.text(profit.x(n * step), bottom + 18, f"{n * step:g} s", "axis", "middle")
    height = bottom + 30
    parts = [*price.parts, *middle, *held.parts, *profit.parts]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">'
        f'<style>{"".join(STYLE.split(chr(10)))}</style><rect class="bg" width="{WIDTH}" height="{height}" rx="6"/>'
        f'<text class="title" x="{LEFT}" y="26">{title}</text>{"".join(parts)}</svg>\n'
    )


def draw(name: str, picture: Picture) -> Path:
    """Runs a strategy and writes its plot."""
    series = recorded(name, picture)
    base, quote = picture.symbols[0].split("-")
    settings = f" ({', '.join(picture.sets)})" if picture.sets else ""
    title = f"{name}{settings}: {picture.symbols[0]}, simulated, seed {picture.seed}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.svg"
    path.write_text(svg(title, series, picture, base, quote), encoding="utf-8")
    return path


def main() -> None:
    """Writes the plots that are named, or all."""
    unknown = sorted(set(sys.argv[1:]) - PICTURES.keys())
    if unknown:
        sys.exit(f"{', '.join(unknown)}: expected names of {', '.join(PICTURES)}")
    for name in sys.argv[1:] or PICTURES:
        path = draw(name, PICTURES[name])
        print(f"{path}: {path.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
