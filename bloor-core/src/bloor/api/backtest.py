"""``bloor.backtest``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen

from bloor.api.arguments import Paths, Texts, check_classes, path_of, paths_of, sets_of, text_of, texts_of
from bloor.api.tables import Table
from bloor.api.told import Told, looked_at
from bloor.api.waiting import bloor_errors
from bloor.errors import RunError
from bloor.execution.life import Status
from bloor.host.backtest.document import document_of, page_of
from bloor.host.backtest.options import BacktestOptions
from bloor.host.backtest.run import BacktestOutcome
from bloor.host.backtest.run import backtest as run_backtest
from bloor.host.backtest.sensitivity import sensitivities, sheet_of
from bloor.observe.page import write_page
from bloor.observe.statistics import Statistics
from bloor.strategy.api import Strategy

__all__ = ["BacktestResult", "backtest"]


@frozen(kw_only=True, repr=False, slots=False)
class BacktestResult:
    """What came of a backtest; money in the reporting currency, exact.

    Attributes:
        document: The whole document, as ``bloor backtest --json`` prints it.
        statistics: Everything that was computed of it, typed.
        outcome: The same with every column: the ledger, the plan.
    """

    document: Mapping[str, Any]
    statistics: Statistics
    outcome: BacktestOutcome

    @property
    def pnl_net(self) -> Decimal:
        """Cash of all fills less fees, and positions at their marks."""
        return self.statistics.profit.net

    @property
    def fees(self) -> Decimal:
        """Fees, rebates taken off."""
        return self.statistics.profit.fees

    @property
    def hash(self) -> str:
        """Hash of all decisions and fills: the same data, parameters and seed give the same."""
        return str(self.document["hash"])

    @property
    def currency(self) -> str:
        """The reporting currency."""
        return str(self.document["currency"])

    @cached_property
    def positions(self) -> Table:
        """What each strategy holds in each instrument at the end."""
        money = ("qty", "avg_price", "mark", "pnl_net", "fees", "volume_quote")
        return Table(
            [{k: Decimal(v) if k in money and v else v for k, v in p.items()} for p in self.document["positions"]]
        )

    @cached_property
    def fills(self) -> Table:
        """Every fill, by the time it was received."""
        ledger = self.outcome.ledger
        rows = []
        f = ledger.fills
        for at in range(len(f)):
            desk = ledger.desks[int(f.desk[at])]
            i = desk.instrument
            rows.append(
                {
                    "ts_ns": int(f.exch_ns[at]),
                    "recv_ns": int(f.recv_ns[at]),
                    "strategy": desk.strategy,
                    "venue": i.venue,
                    "symbol": i.symbol,
                    "side": "buy" if f.side[at] > 0 else "sell",
                    "price": i.price(int(f.price[at])),
                    "qty": i.qty(int(f.units[at])),
                    "fee_quote": Decimal(int(f.fee[at])).scaleb(-i.value_decimals),
                    "order": int(f.order[at]),
                    "liquidity": "maker" if f.maker[at] else "taker",
                }
            )
        return Table(rows)

    @cached_property
    def orders(self) -> Table:
        """Every order that passed the gate, as it was at the end."""
        ledger = self.outcome.ledger
        rows = []
        o = ledger.orders
        for at in range(len(o)):
            desk = ledger.desks[int(o.desk[at])]
            i = desk.instrument
            rows.append(
                {
                    "number": int(o.number[at]),
                    "strategy": desk.strategy,
                    "venue": i.venue,
                    "symbol": i.symbol,
                    "side": "buy" if o.side[at] > 0 else "sell",
                    "price": i.price(int(o.price[at])),
                    "qty": i.qty(int(o.lots[at]) * i.lot_units),
                    "filled": i.qty(int(o.filled[at])),
                    "status": Status(int(o.status[at])).name.lower(),
                    "sent_ns": int(o.sent_ns[at]),
                }
            )
        return Table(rows)

    @cached_property
    def equity(self) -> np.ndarray[Any, Any]:
        """The equity curve: ``(n,)``, fields ``time_ns`` (int64), ``equity`` (float64), net of fees."""
        curve = self.statistics.curve
        made = np.zeros(len(curve.time_ns), [("time_ns", np.int64), ("equity", np.float64)])
        made["time_ns"], made["equity"] = curve.time_ns, curve.equity
        return made

    def report(self, path: str | Path) -> Path:
        """Writes the page with plots, one HTML file, as ``bloor backtest --report`` does; gives its path.

        The same backtest is run again for it under other assumptions.

        Raises:
            RunError: It cannot be written.
        """
        with bloor_errors():
            sheet = sheet_of(sensitivities(self.outcome), self.currency)
            try:
                write_page(path, page_of(self.outcome, sensitivities=sheet))
            except OSError as error:
                raise RunError(f"{path}: the page cannot be written: {error.strerror}") from None
        return Path(path)

    def __repr__(self) -> str:
        d = self.document
        return (
            f"<BacktestResult {', '.join(d['strategies'])} on {', '.join(d['instruments'])}: {d['fills']} fills, "
            f"P&L net {d['pnl_net']} {d['currency']}>"
        )

    def _repr_html_(self) -> str:
        d = self.document
        rows = {
            f"P&L net, {d['currency']}": d["pnl_net"],
            "fees": d["fees"],
            "volume": d["volume_quote"],
            "fills": d["fills"],
            "Sharpe": d["statistics"]["ratios"]["sharpe"],
            "orders": ", ".join(f"{count} {name}" for name, count in d["orders"].items() if count) or "none",
            "hash": d["hash"],
            "notices": "; ".join(d["notices"]) or "none",
        }
        head = f"<b>{escape(', '.join(d['strategies']))}</b> on {escape(', '.join(d['instruments']))}, backtest"
        cells = "".join(f"<tr><th>{escape(str(k))}</th><td>{escape(str(v))}</td></tr>" for k, v in rows.items())
        return f"{head}<table>{cells}</table>"


def backtest(
    plugins: Texts = (),
    data: Paths = (),
    *,
    strategies: type[Strategy] | Sequence[type[Strategy]] = (),
    venue: str | None = None,
    symbols: Texts = (),
    instruments: str | Path | None = None,
    start: str | None = None,
    end: str | None = None,
    seed: int | None = None,
    config: str | Path | None = None,
    set: Mapping[str, Any] | None = None,
    fees: str | None = None,
    latency: str | None = None,
    queue_model: str | None = None,
    progress: bool | None = None,
) -> BacktestResult:
    """Tries strategies on recorded markets, as ``bloor backtest`` does.

    Args:
        plugins: Strategies to test, by name; ``no:NAME`` blocks a plug-in.
        data: Catalogues, recordings, dumps and session folders.
        strategies: Strategy classes that belong to no plug-in: written in a notebook, for instance.
        venue: Whose data these are.
        symbols: ``BTC-USDT``, or ``binance:BTC-USDT``; all in the data without.
        instruments: A file of instruments as the venue's REST lists them; inferred without.
        start: Earliest date or time (UTC).
        end: Latest date, to its end, or time (UTC).
        seed: Seeds models that draw numbers.
        config: A configuration file; ``./bloor.toml`` is read if not given.
        set: Configuration values by dotted path: ``{"strategy.momentum.fast": 10}``.
        fees: The fee model: ``"none"``, ``"0.001"``, ``"0.0002/0.0005"`` (maker/taker), a venue's name, ...
        latency: The latency model: ``"5ms"``, ``"2ms/1ms"`` (there/back), ``"lognormal:entry=2ms,entry_p99=8ms"``, ...
        queue_model: The queue model: ``"risk-averse"``, ``"power-prob:n=3"``, ...
        progress: Whether to show on stderr how it goes; None for where somebody looks: a notebook or a terminal.

    Returns:
        The result; a strategy that raised is halted in it, and told.

    Raises:
        UsageError: Something that was asked for cannot be; ConfigError and PluginError are such.
        InputFileError: Data cannot be read, or cannot be used.
        RunError: A strategy asked for a quantity that cannot be counted, or there is no memory for what it asked for.
    """
    with bloor_errors():
        names = texts_of(plugins, "plugins")
        classes = tuple(strategies) if isinstance(strategies, Sequence) else (strategies,)
        check_classes(classes)
        options = BacktestOptions(
            plugins=tuple(name for name in names if not name.startswith("no:")),
            blocked=tuple(name.removeprefix("no:") for name in names if name.startswith("no:")),
            strategies=classes,
            data=paths_of(data, "data"),
            venue=text_of(venue, "venue"),
            symbols=texts_of(symbols, "symbols"),
            instruments=path_of(instruments, "instruments"),
            start=text_of(start, "start"),
            end=text_of(end, "end"),
            seed=seed,
            config=path_of(config, "config"),
            sets=tuple(sets_of(set or {})),
            fees=text_of(fees, "fees"),
            latency=text_of(latency, "latency"),
            queue_model=text_of(queue_model, "queue_model"),
        )
        told = Told(shown=looked_at() if progress is None else progress)

        def step(text: str) -> None:
            told.step(text)
            told.show()

        try:
            outcome = run_backtest(options, progress=step)
        finally:
            told.done()
        return BacktestResult(document=document_of(outcome), statistics=outcome.statistics, outcome=outcome)
