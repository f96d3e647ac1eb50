"""Latency models: constants, distributions, files, and what a session had."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bloor.backtesting.models import Constant, Lognormal, Measured, Table, round_trips
from bloor.config.duration import Duration
from bloor.engine.decisions import DecisionKind, DecisionLog
from bloor.engine.effects import STANDBY, feed_conn, order_conn
from bloor.errors import InputFileError, UsageError
from bloor.journal.record import RecordKind
from bloor.journal.writer import Writer

ROW = [("req_ts", "i8"), ("exch_ts", "i8"), ("resp_ts", "i8"), ("_padding", "i8")]
MS = 1_000_000


def test_a_constant_is_one_of_each() -> None:
    """The default is 2 ms each way."""
    entry, response = Constant(response=Duration(7)).samples(1)
    assert (entry.tolist(), response.tolist()) == ([2 * MS], [7])


def test_a_distribution_has_its_percentiles_whatever_the_seed() -> None:
    """Only the order is chance, so that two seeds differ by chance alone."""
    model = Lognormal(entry=Duration(MS), entry_p99=Duration(5 * MS))
    entry, response = model.samples(1)
    other, _ = model.samples(2)
    assert entry.size == response.size == 4096
    assert np.percentile(entry, 50) == pytest.approx(MS, rel=1e-3)
    assert np.percentile(entry, 99) == pytest.approx(5 * MS, rel=2e-2)
    assert sorted(entry.tolist()) == sorted(other.tolist())
    assert entry.tolist() != other.tolist()
    assert np.array_equal(model.samples(1)[0], entry)
    assert np.array_equal(model.samples(1)[1], response)


def test_the_same_seed_gives_the_same_order_everywhere() -> None:
    """Pinned, because a result and its hash must be the same in every version of Python and numpy."""
    entry, _ = Lognormal().samples(3)
    assert entry[:4].tolist() == [1799536, 3757346, 2454283, 1733410]


def test_the_two_ways_do_not_move_together() -> None:
    """A slow request does not make a slow answer."""
    entry, response = Lognormal().samples(5)
    assert abs(np.corrcoef(np.log(entry), np.log(response))[0, 1]) < 0.1


def test_a_median_above_its_percentile_is_refused() -> None:
    """No distribution has one."""
    with pytest.raises(ValueError, match="'response_p99' must be at least response = 10ms: 9ms"):
        Lognormal(response=Duration(10 * MS), response_p99=Duration(9 * MS))


# ---- a file ----------------------------------------------------------------------------------------------------------


def table(path: Path, rows: list[tuple[int, ...]], dtype: Any = ROW) -> Table:
    """A table of these rows."""
    np.savez(path, data=np.array(rows, dtype))
    return Table(file=path)


def test_a_table_is_taken_in_its_order(tmp_path: Path) -> None:
    """One request after the other; a request that the venue did not process is left out."""
    model = table(tmp_path / "l.npz", [(100, 105, 112, 0), (200, 0, 240, 0), (300, 308, 309, 0)])
    entry, response = model.samples(0)
    assert (entry.tolist(), response.tolist()) == ([5, 8], [7, 1])
    np.save(tmp_path / "l.npy", np.array([(100, 105, 112, 0)], ROW))
    assert Table(file=tmp_path / "l.npy").samples(0)[0].tolist() == [5]


@pytest.mark.parametrize(
    ("rows", "dtype", "says"),
    [
        ([(100, 90, 112, 0)], ROW, "exch_ts - req_ts: expected latencies of 1 ns to 10 minutes, got -10 ns"),
        ([(100, 110, 10**18, 0)], ROW, "resp_ts - exch_ts: expected latencies of 1 ns to 10 minutes, got"),
        ([(100, 0, 112, 0)], ROW, "expected at least one latency, found none"),
        ([(1, 2)], ROW[:2], "expected rows with req_ts, exch_ts and resp_ts"),
        ([(1.0, 2.0, 3.0)], [(name, "f8") for name, _ in ROW[:3]], "expected times in integers of nanoseconds"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, rows: Any, dtype: Any, says: str) -> None:
    """The message names the file and what is wrong in it."""
    with pytest.raises(UsageError, match=says) as caught:
        table(tmp_path / "l.npz", rows, dtype).samples(0)
    assert "l.npz" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever the bytes are, it is an error of that file."""
    path = tmp_path / "l.npz"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=r"expected an \.npz file with order latencies"):
        Table(file=path).samples(0)
    with pytest.raises(InputFileError, match="cannot be read"):
        Table(file=tmp_path / "none.npz").samples(0)


# ---- a session -------------------------------------------------------------------------------------------------------


class Recorded:
    """A session whose journal is written at times that a test says."""

    def __init__(self, folder: Path, *venues: str) -> None:
        self.now_ns = 1_000
        header = {"engine": {"venues": [{"venue": venue} for venue in venues]}}
        self.folder = folder
        self._writer = Writer(
            folder / "journal", epoch=1, clock=lambda: self.now_ns, header=json.dumps(header).encode()
        )
        self._log = DecisionLog()

    def add(self, after_ns: int, kind: RecordKind, conn: int = 0, payload: bytes = b"") -> None:
        """A record so much later than the one before."""
        self.now_ns += after_ns
        self._writer.append(kind, conn, 0, payload)

    def order(self, name: str, *, line: int = 0, out: RecordKind = RecordKind.FRAME_OUT) -> None:
        """An order is decided, and written 10 ns later."""
        self.add(0, RecordKind.DECISION, 0, self._log.pack(DecisionKind.PLACE, 0, client_id=name))
        self.add(10, out, order_conn(line), f'{{"place":"{name}"}}'.encode())

    def session(self) -> Path:
        """The folder, nothing more being written."""
        self._writer.close(0)
        return self.folder


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Two venues and four orders: two answered on a frame, one on a request, one never."""
    run = Recorded(tmp_path / "s", "here", "there")
    run.order("A1")
    run.add(50, RecordKind.FRAME_IN, feed_conn(0), b'{"trade":"A1"}')  # market data says nothing of orders
    run.order("A2")
    run.add(40, RecordKind.FRAME_IN, order_conn(0), b'{"accepted":"A1"}')
    run.add(5, RecordKind.FRAME_IN, order_conn(0) | STANDBY, b'{"accepted":"A2"}')
    run.add(5, RecordKind.FRAME_IN, order_conn(0), b'{"filled":"A1"}')
    run.order("B1", line=1, out=RecordKind.REQUEST)
    run.order("B2", line=1)
    run.add(201, RecordKind.RESPONSE, order_conn(1), b'{"accepted":"B1"}')
    run.add(70_000_000_000, RecordKind.FRAME_IN, order_conn(1), b"{}")
    run.add(1, RecordKind.FRAME_IN, order_conn(1), b'{"accepted":"B2"}')
    return run.session()


def test_round_trips_of_a_session(session: Path) -> None:
    """From an order's frame to the first answer that names it; what comes after a minute is not its answer."""
    assert round_trips(session).tolist() == [100, 45, 211]
    assert round_trips(session, "there").tolist() == [211]


def test_a_half_is_the_way_there(session: Path) -> None:
    """Unless told otherwise, and the two ways together are the round trip."""
    entry, response = Measured(session=session).samples(0)
    assert (entry.tolist(), response.tolist()) == ([50, 22, 105], [50, 23, 106])
    entry, response = Measured(session=session, venue="here", entry_share=0.1).samples(0)
    assert (entry.tolist(), response.tolist()) == ([10, 4], [90, 41])
    entry, _ = Measured(session=session, entry_share=0.0).samples(0)
    assert entry.min() == 1


def test_a_session_without_answers_is_refused(tmp_path: Path, session: Path) -> None:
    """Each message says what was expected and where."""
    empty = Recorded(tmp_path / "e", "here").session()
    with pytest.raises(UsageError, match="expected orders that were answered, found none; name another session"):
        round_trips(empty)
    with pytest.raises(UsageError, match="expected a venue of the session, one of here, there, got 'elsewhere'"):
        round_trips(session, "elsewhere")
    with pytest.raises(UsageError, match="expected a session's folder with a journal in it, found none"):
        round_trips(tmp_path)
    other = Writer(tmp_path / "o" / "journal", epoch=1, clock=lambda: 1, header=b"{}")
    other.close(0)
    with pytest.raises(UsageError, match="expected the journal of a run, which begins with its header"):
        round_trips(tmp_path / "o")


def test_latencies_of_a_json_file(tmp_path: Path) -> None:
    """Round trips, or the two ways apart."""
    path = tmp_path / "l.json"
    path.write_text('{"round_trip_ns": [10, 21]}', encoding="utf-8")
    entry, response = Measured(session=path).samples(0)
    assert (entry.tolist(), response.tolist()) == ([5, 10], [5, 11])
    path.write_text('{"entry_ns": [1, 2, 3], "response_ns": [4]}', encoding="utf-8")
    entry, response = Measured(session=path).samples(0)
    assert (entry.tolist(), response.tolist()) == ([1, 2, 3], [4])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "expected a session's folder, or JSON"),
        (
            "[1]",
            "expected round_trip_ns, or entry_ns and response_ns, each a list of integers; entry_ns is no such list",
        ),
        ('{"round_trip_ns": [1.5]}', "round_trip_ns is no such list"),
        ('{"round_trip_ns": []}', "expected at least one latency, found none"),
        ('{"entry_ns": [1], "response_ns": [0]}', "response_ns: expected latencies of 1 ns to 10 minutes, got 0 ns"),
    ],
)
def test_a_json_file_that_has_none_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """The message says what it should hold."""
    path = tmp_path / "l.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=says):
        Measured(session=path).samples(0)
