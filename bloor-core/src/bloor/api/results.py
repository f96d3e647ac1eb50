"""What runs and replays give back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from attrs import field, frozen

from bloor.api.rows import decision_table, fill_table, order_table, read_fills
from bloor.api.tables import Table, html_table
from bloor.host.replay.difference import Difference
from bloor.host.replay.run import Kept
from bloor.host.replay.run import ReplayResult as Replayed
from bloor.host.replay.run import replay as replay_session
from bloor.plugins.configured import configured_host
from bloor.strategy.api import Strategy

__all__ = ["RecordResult", "ReplayResult", "RunResult"]


def _kept(result: Replayed) -> Kept:
    assert result.kept is not None
    return result.kept


@frozen(kw_only=True, repr=False, slots=False)
class RunResult:
    """How a run ended; money in the reporting currency, exact.

    Attributes:
        document: The whole document, as ``bloor run --json`` prints it.
        failure: Why the run failed; empty when it did not.
        session: The session folder.
    """

    document: Mapping[str, Any]
    failure: str
    session: Path
    _strategies: tuple[type[Strategy], ...] = field(default=(), alias="strategies")

    @property
    def ok(self) -> bool:
        """Whether it did not fail."""
        return not self.failure

    @property
    def pnl_net(self) -> Decimal:
        """Cash of all fills less fees, and positions at their marks."""
        return Decimal(self.document["pnl_net"])

    @property
    def fees(self) -> Decimal:
        """Fees, rebates taken off."""
        return Decimal(self.document["fees"])

    @property
    def volume(self) -> Decimal:
        """Price times quantity of all fills."""
        return Decimal(self.document["volume_quote"])

    @property
    def currency(self) -> str:
        """The reporting currency."""
        return str(self.document["currency"])

    @property
    def tally(self) -> Mapping[str, int]:
        """Orders that were ``sent``, ``acked``, ``filled``, ``cancelled``, ``rejected``, ``denied`` or ``unknown``."""
        tally: Mapping[str, int] = self.document["orders"]
        return tally

    @property
    def hash(self) -> str:
        """Hash of all decisions."""
        return str(self.document["hash"])

    @property
    def duration_s(self) -> float:
        """From the first frame to the stop, in seconds."""
        return float(self.document["duration_s"])

    @property
    def latency_ns(self) -> Mapping[str, Mapping[str, int]]:
        """Percentiles by stage, in ns."""
        latencies: Mapping[str, Mapping[str, int]] = self.document["latency_ns"]
        return latencies

    @cached_property
    def positions(self) -> Table:
        """What each strategy holds in each instrument at the end."""
        money = ("qty", "avg_price", "mark", "pnl_net", "fees")
        return Table(
            [{k: Decimal(v) if k in money and v else v for k, v in p.items()} for p in self.document["positions"]]
        )

    @cached_property
    def venues(self) -> Table:
        """What each venue brought: fills, money, the time to an order's first answer, the quality of its data."""
        money = ("volume_quote", "fees", "pnl_net")
        return Table(
            [{k: Decimal(v) if k in money else v for k, v in row.items()} for row in self.document["by_venue"]]
        )

    @cached_property
    def fills(self) -> Table:
        """Every fill, as the session's ``fills.jsonl`` has it."""
        return read_fills(self.session / "fills.jsonl")

    @cached_property
    def _replayed(self) -> Replayed:
        return replay_session(self.session, configured_host(), strategies=self._strategies, keep=True)

    @cached_property
    def orders(self) -> Table:
        """Every order that passed the gate, as it was at the end. The session is replayed for it, once."""
        return order_table(_kept(self._replayed).orders, self._replayed.plan.engine)

    @cached_property
    def decisions(self) -> Table:
        """Every decision, denials among them. The session is replayed for it, once."""
        kept = _kept(self._replayed)
        return decision_table(bytes(kept.decisions), self._replayed.plan.engine, kept.codes)

    def __repr__(self) -> str:
        d = self.document
        return (
            f"<RunResult {', '.join(d['strategies'])} on {', '.join(d['instruments'])}: {d['fills']} fills, "
            f"P&L net {d['pnl_net']} {d['currency']}{f', failed: {self.failure}' if self.failure else ''}>"
        )

    def _repr_html_(self) -> str:
        d = self.document
        head = (
            f"<b>{escape(', '.join(d['strategies']))}</b> on {escape(', '.join(d['instruments']))}, {escape(d['mode'])}"
        )
        rows: dict[str, Any] = {
            f"P&L net, {d['currency']}": d["pnl_net"],
            "fees": d["fees"],
            "volume": d["volume_quote"],
            "fills": d["fills"],
            "orders": ", ".join(f"{count} {name}" for name, count in d["orders"].items() if count) or "none",
            "denials": ", ".join(f"{count} {code}" for code, count in d["denials"].items()) or "none",
            "frames": d["frames"],
            "seconds": d["duration_s"],
            "tick to wire p50, ns": d["latency_ns"]["tick_to_wire"]["p50"],
            "decisions": f"{d['decisions']}, hash {d['hash']}",
            "session": self.session,
        }
        return head + _pairs(rows) + _failed(self.failure)


@frozen(kw_only=True, repr=False, slots=False)
class ReplayResult:
    """What came of a replay.

    Attributes:
        document: The whole document, as ``bloor replay --json`` prints it.
        difference: The first record that differs: fields, both sides, and the frame that caused it; None for none.
        failure: Why the session is not verified; empty when it is.
    """

    document: Mapping[str, Any]
    difference: Difference | None
    failure: str
    _replayed: Replayed

    @property
    def ok(self) -> bool:
        """Whether every decision and every frame is what was recorded."""
        return not self.failure

    @property
    def hash(self) -> str:
        """Hash of all decisions that were made."""
        return str(self.document["hash"])

    @property
    def changes(self) -> tuple[str, ...]:
        """What is installed now and is not what took part then."""
        return self._replayed.plan.changes

    @cached_property
    def timeline(self) -> Table:
        """Decisions and fills over time, by kind, in at most 60 stretches."""
        return Table(self.document["timeline"])

    @cached_property
    def fills(self) -> Table:
        """Every fill, made again from the journal: also those that a killed process did not write down."""
        return fill_table(_kept(self._replayed).fills)

    @cached_property
    def orders(self) -> Table:
        """Every order that passed the gate, as it was at the end."""
        return order_table(_kept(self._replayed).orders, self._replayed.plan.engine)

    @cached_property
    def decisions(self) -> Table:
        """Every recorded decision, denials among them."""
        kept = _kept(self._replayed)
        return decision_table(bytes(kept.decisions), self._replayed.plan.engine, kept.codes)

    def __repr__(self) -> str:
        state = f"not verified: {self.failure}" if self.failure else f"verified, {self.document['decisions']} decisions"
        return f"<ReplayResult {self.document['session']}: {state}>"

    def _repr_html_(self) -> str:
        d, difference = self.document, self.difference
        rows: dict[str, Any] = {
            "records": d["records"],
            "journal": d["end"],
            "decisions": f"{d['decisions']}, hash {d['hash']}",
            "since then": "; ".join(d["changes"]) or "nothing has changed",
        }
        if difference is None:
            rows |= {"fills": d["fills"], f"P&L net, {d['currency']}": d["pnl_net"]}
        html = f"<b>{escape(d['session'])}</b>{_pairs(rows)}{_failed(self.failure)}"
        if difference is not None:
            columns = ("field", "recorded", "replayed")
            html += html_table(columns, [{name: getattr(f, name) for name in columns} for f in difference.fields])
            if difference.cause is not None:
                html += f"<details><summary>caused by record {difference.cause.sequence}</summary>"
                html += f"<pre>{escape(difference.cause.text)}</pre></details>"
        return html


@frozen(kw_only=True, repr=False)
class RecordResult:
    """How a recording ended.

    Attributes:
        document: The whole document, as ``bloor record --json`` prints it.
        failure: Why it failed; empty when it did not.
        out: Its folder, which every function that takes recordings takes.
    """

    document: Mapping[str, Any]
    failure: str
    out: Path

    @property
    def ok(self) -> bool:
        """Whether it did not fail."""
        return not self.failure

    def __repr__(self) -> str:
        d = self.document
        return f"<RecordResult {d['venue']} -> {self.out}: {d['frames']} frames in {d['duration_s']:.1f} s>"

    def _repr_html_(self) -> str:
        names = ("venue", "instruments", "duration_s", "frames", "bytes", "trades", "quotes", "books", "gaps", "errors")
        return _pairs({name: self.document[name] for name in names} | {"out": self.out}) + _failed(self.failure)


def _pairs(rows: Mapping[str, Any]) -> str:
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in rows.items())
    return f"<table><tbody>{body}</tbody></table>"


def _failed(failure: str) -> str:
    return f"<p><b>failed:</b> {escape(failure)}</p>" if failure else ""
