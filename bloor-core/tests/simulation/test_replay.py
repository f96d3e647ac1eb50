"""Sessions in virtual time, written to disk and replayed from there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.engine.decisions import Decision, DecisionKind
from bloor.engine.effects import feed_conn, order_conn
from bloor.errors import InputFileError, PluginError, UsageError
from bloor.host.replay.run import ReplayResult, replay
from bloor.journal.reader import Reader
from bloor.journal.record import BODY, COMMIT, HEADER_BYTES, RecordKind, aligned, decode
from bloor.journal.segment import PREAMBLE_BYTES, segment_files
from bloor.journal.writer import Writer
from bloor.observe.session import fill_row
from bloor.observe.summary import summary
from bloor.plugins import PluginHost
from bloor.simulation.world import Latency
from bloor.strategy.api import Strategy
from bloor.strategy.params import param
from bloor.testing.virtual import VirtualRun

SEGMENT = 1 << 17


class Dip(Strategy):
    """Buys once the ask has fallen by some ticks from where it began, and rests a bid far below."""

    ticks: int = param(20, low=1, doc="how far it must fall, in ticks")
    first: int = 0
    asked: bool = False

    def on_book(self, book: Any, orders: Any) -> None:
        """Looks at the ask."""
        if not book.two_sided:
            return
        if not self.first:
            self.first = book.best_ask
            orders.buy(book.best_bid * 96 // 100, orders.min_lots * 100, post_only=True)
        elif not self.asked and book.best_ask < self.first - self.ticks:
            self.asked = True
            orders.buy(book.best_ask, orders.min_lots * 100)


class Breaks(Strategy):
    """Raises at its third trade."""

    seen: int = 0

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Counts to three."""
        self.seen += 1
        if self.seen == 3:
            raise ValueError("three")


def write_session(run: VirtualRun, folder: Path, *, ended: bool = True, records: Any = None) -> Path:
    """Writes a run as the host writes it."""
    rows = run.journal.records if records is None else records
    header = orjson.dumps({"config": run.setup.record(), "engine": run.engine.plan.record()})
    writer = Writer(
        folder / "journal", epoch=1, clock=lambda: 0, header=header, wall_ns=rows[0][2], segment_bytes=SEGMENT
    )
    with writer:
        for kind, conn, wall_ns, payload in rows:
            writer.append(kind, conn, wall_ns, payload)
            writer.tend()
        if ended:
            document = summary(
                run.engine, mode="sim", session=folder, duration_s=1.0, stale_ns={}, versions={}, notices=()
            )
            (folder / "summary.json").write_bytes(orjson.dumps(document))
            writer.append(RecordKind.STATUS, 0, rows[-1][2], orjson.dumps({"summary": document}))
            writer.close(rows[-1][2])
    (folder / "fills.jsonl").write_bytes(b"".join(orjson.dumps(fill_row(f)) + b"\n" for f in run.fills))
    return folder


def verified(folder: Path, **options: Any) -> ReplayResult:
    """The replay of a folder."""
    return replay(folder, PluginHost(), verify=True, **options)


def traded(seed: int = 1, seconds: float = 12, **options: Any) -> VirtualRun:
    """A finished run of momentum."""
    run = VirtualRun(["momentum"], seed=seed, **options)
    run.for_seconds(seconds)
    run.finish()
    return run


@pytest.fixture(scope="module")
def run() -> VirtualRun:
    """A run of 20 virtual seconds over lost connections, to be looked at only."""
    run = VirtualRun(["momentum"], seed=3)
    run.for_seconds(8)
    run.world.cut(order_conn(0))
    run.for_seconds(4)
    run.world.cut(feed_conn(0))
    run.for_seconds(8)
    run.finish()
    return run


def test_a_session_is_verified_and_says_the_same_as_its_summary(run: VirtualRun, tmp_path: Path) -> None:
    """Decisions, hash, orders, fills and profit are those of the run; every output is equal byte for byte."""
    result = verified(write_session(run, tmp_path))
    document = result.document
    assert (result.failure, document["ok"]) == ("", True)
    assert document["hash"] == run.engine.log.hexdigest()
    assert document["decisions"] == run.engine.log.count
    assert document["orders"] == run.engine.tally()
    assert document["fills"] == len(run.fills) > 3
    assert document["fills_file"]["equal"] and document["summary"]["equal"]
    assert document["end"] == "ended"
    outputs = sum(kind in (RecordKind.DECISION, RecordKind.FRAME_OUT) for kind, *_ in run.journal.records)
    assert document["compared"] == outputs
    assert sum(row.get("fill", 0) for row in document["timeline"]) == len(run.fills)
    assert orjson.loads(orjson.dumps(document)) == document


@settings(max_examples=6)
@given(seed=st.integers(1, 1 << 40), cut=st.floats(1, 9), faults=st.sampled_from(["", "lost-ack:0.2", "gap:0.02"]))
def test_whatever_the_seed_and_whatever_went_wrong(tmp_path_factory: Any, seed: int, cut: float, faults: str) -> None:
    """Any seed, a connection lost at any moment, faults of the venue: the session is verified."""
    run = VirtualRun(["momentum"], seed=seed, faults=faults, latency=Latency(1_000_000, 20_000_000))
    run.for_seconds(cut)
    run.world.cut(order_conn(0))
    run.for_seconds(10 - cut)
    run.finish()
    assert verified(write_session(run, tmp_path_factory.mktemp("any"))).failure == ""


def test_several_strategies_and_instruments(tmp_path: Path) -> None:
    """Each in its own instruments; a strategy of no plug-in is given by its class."""
    run = VirtualRun(
        ["momentum"], strategies=[Dip], symbols=["BTC-USDT", "ETH-USDT"], sets=["strategy.dip.ticks=5"], seed=2
    )
    run.for_seconds(12)
    run.finish()
    folder = write_session(run, tmp_path)
    result = verified(folder, strategies=[Dip], keep=True)
    assert result.failure == ""
    assert result.document["strategies"] == ["momentum", "dip"]
    assert len(result.document["positions"]) == 4
    assert result.kept is not None
    assert len(result.kept.orders) == run.engine.tally()["sent"]
    assert len(result.kept.decisions) == 64 * run.engine.log.count
    with pytest.raises(PluginError, match=r"no plug-in; give the class itself: bloor\.replay\(\.\.\., strategies"):
        verified(folder)


def test_a_strategy_that_raised_raises_again(tmp_path: Path) -> None:
    """Its halt is a decision like any other, and the others go on."""
    run = VirtualRun(["momentum"], strategies=[Breaks], seed=2)
    run.for_seconds(8)
    run.finish()
    result = verified(write_session(run, tmp_path), strategies=[Breaks])
    assert result.failure == ""
    assert result.document["decisions_by_kind"]["halt"] == 1
    assert result.document["alerts"]["strategy_halted"] == 1


def test_a_replaced_connection_is_replayed(tmp_path: Path) -> None:
    """The switch to a second connection and the frames it repeats are decided again, and compared."""
    run = VirtualRun(
        ["momentum"], seed=4, sets=["venue.binance.connection_life=6s"], latency=Latency(50_000, 60_000_000)
    )
    run.for_seconds(20)
    run.finish()
    result = verified(write_session(run, tmp_path))
    assert result.failure == ""
    assert result.document["counts"]["takeover"] >= 2


@pytest.mark.parametrize("key", ["hmac", "ed25519"])
def test_no_key_is_needed_whichever_it_was(tmp_path: Path, key: str) -> None:
    """With a secret every request is signed, with an Ed25519 key the connection is: both are replayed without."""
    run = traded(seconds=6, key=key)
    folder = write_session(run, tmp_path)
    assert verified(folder).failure == ""
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    secrets = run.world.venue.credentials()[key]
    assert not [name for name, secret in secrets.items() if secret.encode() in kept]
    assert b'"signature"' not in kept


def test_what_machine_code_decided_is_decided_again_in_python(tmp_path: Path) -> None:
    """A run whose strategy, gate and order entry are fused has the journal of an ordinary one."""
    run = VirtualRun(["momentum"], seed=5, journal=tmp_path / "first" / "journal")
    run.for_seconds(15)
    run.finish()
    run.close()
    assert run.engine.fusion.frames_fused > 100
    records = [
        (r.kind, r.conn, r.wall_ns, r.payload)
        for r in Reader(tmp_path / "first" / "journal")
        if r.kind != RecordKind.HEADER
    ]
    result = verified(write_session(run, tmp_path / "session", records=records))
    assert result.failure == ""
    assert result.document["decisions"] > 5
    assert result.document["hash"] == run.engine.log.hexdigest()


# ---- what differs -----------------------------------------------------------------------------------------------


def tamper(folder: Path, sequence: int, offset: int, value: bytes) -> None:
    """Changes bytes in the payload of a record, and makes its checksum right again."""
    for _, path in segment_files(folder / "journal"):
        data = bytearray(path.read_bytes())
        place = PREAMBLE_BYTES
        while (record := decode(data, place)) is not None:
            size = HEADER_BYTES + len(record.payload)
            if record.sequence == sequence:
                begin = place + HEADER_BYTES + offset
                data[begin : begin + len(value)] = value
                end = place + aligned(size)
                COMMIT.pack_into(data, place, crc32(data[place + COMMIT.size : end], size), size)
                path.write_bytes(data)
                return
            place += aligned(size)
    raise AssertionError(f"there is no record {sequence}")


def test_a_tampered_decision_is_found_at_its_place(run: VirtualRun, tmp_path: Path) -> None:
    """The record, the field, both values, and the frame that led to it."""
    folder = write_session(run, tmp_path)
    placed = [
        (record, Decision.unpack(record.payload))
        for record in Reader(folder / "journal")
        if record.kind == RecordKind.DECISION and Decision.unpack(record.payload).kind is DecisionKind.PLACE
    ]
    record, decision = placed[2]
    tamper(folder, record.sequence, 32, (decision.lots + 7).to_bytes(8, "little"))
    result = verified(folder)
    difference = result.difference
    assert difference is not None
    assert (difference.sequence, difference.what) == (record.sequence, "decision")
    assert [f.field for f in difference.fields] == ["qty"]
    instrument = run.engine.plan.instruments[0]
    assert difference.fields[0].replayed == instrument.format_lots(decision.lots)
    assert difference.fields[0].recorded == instrument.format_lots(decision.lots + 7)
    assert difference.cause is not None
    assert difference.cause.connection == "binance market data"
    assert difference.cause.time_ns == decision.now_ns
    assert json.loads(difference.cause.text)
    assert result.document["records"] == record.sequence
    # told without --verify too, where reading goes on
    told = replay(folder, PluginHost())
    assert told.difference == difference
    assert told.document["records"] > record.sequence


def test_a_tampered_frame_is_found(run: VirtualRun, tmp_path: Path) -> None:
    """A frame that was sent is compared too, field by field."""
    folder = write_session(run, tmp_path)
    frames = [r for r in Reader(folder / "journal") if r.kind == RecordKind.FRAME_OUT and b"order.place" in r.payload]
    at = frames[1].payload.index(b'"price":"') + len(b'"price":"')
    tamper(folder, frames[1].sequence, at, b"9")
    difference = verified(folder).difference
    assert difference is not None
    assert [f.field for f in difference.fields] == ["frame.params.price"]
    assert difference.connection == "binance orders"


@pytest.mark.parametrize("missing", [True, False])
def test_one_decision_too_few_or_too_many_is_found(run: VirtualRun, tmp_path: Path, missing: bool) -> None:
    """A decision that was taken out, or put in, is the first difference."""
    rows = list(run.journal.records)
    place = [n for n, (kind, *_) in enumerate(rows) if kind == RecordKind.DECISION][4]
    if missing:
        del rows[place : place + 2]  # the decision and its frame
    else:
        rows.insert(place, rows[place])
    difference = verified(write_session(run, tmp_path, records=rows)).difference
    assert difference is not None
    assert difference.number == (5 if missing else 6)
    assert difference.what == ("nothing" if missing else "decision")


def test_a_changed_rule_is_found_at_the_first_decision_that_differs(tmp_path: Path) -> None:
    """A strategy of the same name with another rule."""
    run = VirtualRun(strategies=[Dip], seed=2)
    run.for_seconds(12)
    run.finish()
    folder = write_session(run, tmp_path)

    class Changed(Dip):
        name = "dip"

        def on_book(self, book: Any, orders: Any) -> None:
            super().on_book(book, orders)
            if self.asked:
                orders.cancel_all()

    result = verified(folder, strategies=[Changed])
    assert result.difference is not None
    assert result.difference.what in ("nothing", "decision", "frame_out")
    assert result.difference.replayed is not None
    assert result.difference.replayed["decision"] == "cancel"
    assert "the code of strategy dip is not what it was, though its version is" in result.document["changes"]


def test_versions_that_differ_are_told(run: VirtualRun, tmp_path: Path) -> None:
    """What is installed now and what took part then, before anything is compared."""
    folder = write_session(run, tmp_path)
    header = next(iter(Reader(folder / "journal")))
    at = header.payload.index(b'"bloor-strategies":"') + len(b'"bloor-strategies":"')
    tamper(folder, header.sequence, at, b"9")
    result = verified(folder)
    assert result.failure == ""
    assert result.document["changes"] == ["bloor-strategies was 9.1.0, is 0.1.0"]


# ---- journals that end badly ------------------------------------------------------------------------------------


@settings(max_examples=12)
@given(data=st.data())
def test_a_journal_cut_at_any_byte_is_replayed_to_its_last_record(
    run: VirtualRun, tmp_path_factory: Any, data: st.DataObject
) -> None:
    """What a power cut leaves: the tail is told, everything before it verified."""
    folder = write_session(run, tmp_path_factory.mktemp("cut"), ended=False)
    _, last = segment_files(folder / "journal")[-1]
    size = last.stat().st_size
    cut = data.draw(st.integers(PREAMBLE_BYTES, size))
    with last.open("r+b") as file:
        file.truncate(cut)
    result = verified(folder)
    assert result.failure == ""
    assert result.document["end"] in ("open", "torn")
    assert result.document["summary"] is None
    assert result.document["records"] > 1


def test_without_a_summary_and_a_footer_it_works(run: VirtualRun, tmp_path: Path) -> None:
    """A run that was killed has a journal and perhaps half a line of a fill."""
    folder = write_session(run, tmp_path, ended=False)
    fills = (folder / "fills.jsonl").read_bytes()
    (folder / "fills.jsonl").write_bytes(fills[:-20])
    document = verified(folder).document
    assert document["ok"]
    assert document["end"] == "open"
    assert document["fills_file"] == document["fills_file"] | {"torn": True, "equal": False}
    assert document["fills"] == len(run.fills)


def test_damage_is_an_error_with_its_place(run: VirtualRun, tmp_path: Path) -> None:
    """A flipped bit in the middle, a missing segment, another version: a message, never half an answer."""
    folder = write_session(run, tmp_path / "a")
    files = segment_files(folder / "journal")
    assert len(files) >= 3
    whole = files[0][1].read_bytes()
    files[0][1].write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    with pytest.raises(UsageError, match=r"00000001\.journal: byte \d+: the journal is corrupt"):
        verified(folder)
    files[0][1].write_bytes(whole)
    second = files[1][1].read_bytes()
    files[1][1].unlink()
    with pytest.raises(UsageError, match="expected segment 2 here, got 3"):
        verified(folder)
    files[1][1].write_bytes(second)
    head = bytearray(whole[:PREAMBLE_BYTES])
    head[8] = 9
    head[60:64] = crc32(head[:60]).to_bytes(4, "little")
    files[0][1].write_bytes(bytes(head) + whole[PREAMBLE_BYTES:])
    with pytest.raises(UsageError, match="expected format version 1, got 9"):
        verified(folder)


def test_what_is_no_session_is_refused(tmp_path: Path) -> None:
    """A folder without a journal, none at all, a recording of market data, an old header."""
    with pytest.raises(UsageError, match="there is no such folder"):
        verified(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="expected a session folder with a journal"):
        verified(tmp_path)
    for name, header, said in (
        ("recording", {"record": {}}, "got a recording of market data"),
        ("old", {"config": {}, "engine": {}}, "another version of bloor"),
    ):
        Writer(tmp_path / name / "journal", epoch=0, clock=lambda: 0, header=orjson.dumps(header)).close(0)
        with pytest.raises(UsageError, match=said):
            verified(tmp_path / name)


def test_a_record_of_an_unknown_kind_or_command_is_refused(run: VirtualRun, tmp_path: Path) -> None:
    """A newer journal says something that this bloor does not know: it does not go on without it."""
    rows = run.journal.records
    for number, (kind, payload, said) in enumerate(
        [(99, b"", "got 99; use the bloor that wrote it"), (RecordKind.COMMAND, b"dance", "got 'dance'")]
    ):
        folder = tmp_path / str(number)
        write_session(run, folder, records=[*rows[:50], (kind, 0, rows[50][2], payload), *rows[50:60]], ended=False)
        with pytest.raises(UsageError, match=said):
            verified(folder)


assert BODY.size  # the layout that tamper relies on


def test_fills_in_a_currency_of_no_instrument_are_refused(run: VirtualRun, tmp_path: Path) -> None:
    """They cannot be added up with the others."""
    folder = write_session(run, tmp_path)
    fills = folder / "fills.jsonl"
    fills.write_bytes(fills.read_bytes().replace(b"BTC-USDT", b"BTC-XYZ"))
    with pytest.raises(InputFileError, match=r"fills\.jsonl: expected fills of the run's instruments, .* 'XYZ'"):
        verified(folder)
