"""A journal read as a recording: each frame that counts, once."""

from __future__ import annotations

from pathlib import Path
from struct import pack
from typing import Any

import orjson
import pytest

from bloor.engine import effects
from bloor.engine.wire import pack_response
from bloor.errors import InputFileError
from bloor.journal.record import RecordKind
from bloor.journal.writer import Writer
from bloor.market.recorded_folder import ORDERS, STANDBY, Input, Source, counted, read_folder, sources
from bloor.market.recording import RecordedLine, read_recording

FEED, ORDER, OTHER = 2, 3, 4
IN = RecordKind.FRAME_IN


def inputs(*records: tuple[int, int, bytes]) -> list[Input]:
    """Records of kind, connection and payload, numbered from 1."""
    return [Input(n, kind, conn, n * 1000, payload) for n, (kind, conn, payload) in enumerate(records, 1)]


def payloads(*records: tuple[int, int, bytes]) -> list[bytes]:
    """What counts of them."""
    return [record.payload for record in counted(inputs(*records))]


def test_connections_are_numbered_as_the_engine_numbers_them() -> None:
    """The reader stands below the engine and cannot import its numbers."""
    assert STANDBY == effects.STANDBY
    assert sources(header("a", "b")) == [Source(effects.feed_conn(n), v, f"https://{v}") for n, v in enumerate("ab")]
    assert effects.order_conn(5) & ORDERS
    assert not effects.feed_conn(5) & ORDERS


def test_frames_of_the_market_count_in_their_order() -> None:
    """What was sent, orders, timers and decisions are none of it."""
    assert payloads(
        (RecordKind.CONNECTED, FEED, b""), (IN, FEED, b"a"), (IN, ORDER, b"no"), (RecordKind.FRAME_OUT, FEED, b"no"),
        (RecordKind.TIMER, 0, b""), (IN, FEED, b"b"), (IN, OTHER, b"c"),
    ) == [b"a", b"b", b"c"]  # fmt: skip


def test_a_second_connection_counts_from_where_it_took_over() -> None:
    """Only the frames that the record names; of those that came before they were all repetitions."""
    second = FEED | STANDBY
    found = list(
        counted(
            inputs(
                (IN, FEED, b"a"), (RecordKind.CONNECTED, second, b""), (IN, second, b"a'"), (IN, FEED, b"b"),
                (IN, second, b"b'"), (IN, second, b"c'"), (RecordKind.TAKEOVER, FEED, pack("<I", 2)),
                (IN, FEED, b"c again"), (RecordKind.SKIPPED, FEED, b""), (IN, FEED, b"d"),
            )
        )
    )  # fmt: skip
    assert [record.payload for record in found] == [b"a", b"b", b"c'", b"d"]
    assert {record.conn for record in found} == {FEED}


@pytest.mark.parametrize("end", [RecordKind.DISCONNECTED, RecordKind.CONNECTED])
def test_a_second_connection_that_was_given_up_counts_nothing(end: RecordKind) -> None:
    """Its frames are those of the first anyway; the next second connection is counted from its own beginning."""
    second = FEED | STANDBY
    assert payloads(
        (IN, second, b"x"), (end, second, b""), (IN, second, b"y"), (IN, second, b"z"),
        (RecordKind.TAKEOVER, FEED, pack("<II", 0, 1)),
    ) == [b"y", b"z"]  # fmt: skip


def test_a_record_that_ends_in_the_middle_of_a_replacement() -> None:
    """What the first connection brought is all there, the last frame too."""
    assert payloads((IN, FEED, b"a"), (IN, FEED | STANDBY, b"b'"), (IN, FEED, b"b")) == [b"a", b"b"]


def header(*venues: str, key: str = "record") -> bytes:
    """The header of a recording or a run."""
    places = [{"venue": venue, "endpoints": [f"https://{venue}", "", ""], "instruments": []} for venue in venues]
    return orjson.dumps({key: {"venues": places}})


def make(folder: Path, head: bytes, *records: tuple[int, int, bytes]) -> Path:
    """A folder with a journal."""
    with Writer(folder / "journal", epoch=0, clock=lambda: 1, header=head, segment_bytes=1 << 16) as writer:
        for n, (kind, conn, payload) in enumerate(records, 1):
            writer.append(kind, conn, n * 1000, payload)
    return folder


def test_a_folder_is_a_recording_like_any_other(tmp_path: Path) -> None:
    """Frames with their times, and snapshots with a URL that says whose they are; failed requests are left out."""
    answers = [pack_response("depth:BTCUSDT", status, b"{}") for status in (0, 503, 200)]
    folder = make(tmp_path, header("binance"), (IN, FEED, b"{}"), *((RecordKind.RESPONSE, FEED, a) for a in answers))
    text = tmp_path / "text"
    text.write_text('1.000000001 {"a":1}\n0.000002 {"b":2}\n')
    lines = list(read_recording([folder]))
    assert lines == [
        RecordedLine(str(folder), 2, 1000, None, b"{}"),
        RecordedLine(str(folder), 5, 4000, "https://binance/depth?symbol=BTCUSDT", b"{}"),
    ]
    assert list(read_folder(folder / "journal")) == list(read_folder(folder)), "the journal's own folder will do"
    merged = [line.payload for line in read_recording([text, folder]) if isinstance(line, RecordedLine)]
    assert merged == [b"{}", b"{}", b'{"a":1}', b'{"b":2}']


@pytest.mark.parametrize("key", ["record", "engine"])
def test_of_several_venues_one_is_wanted(tmp_path: Path, key: str) -> None:
    """Named, it is read; unnamed or unknown, the message says what there is."""
    folder = make(tmp_path, header("binance", "kraken", key=key), (IN, FEED, b"[1]"), (IN, OTHER, b"[2]"))
    for venue, payload in (("binance", b"[1]"), ("kraken", b"[2]")):
        assert [line.payload for line in lines_of(folder, venue)] == [payload]
    with pytest.raises(InputFileError, match="got binance, kraken; name one"):
        lines_of(folder, None)
    with pytest.raises(InputFileError, match="expected market data of coinbase, got binance, kraken"):
        lines_of(folder, "coinbase")


def lines_of(folder: Path, venue: str | None) -> list[Any]:
    """Every line of a folder."""
    return list(read_recording([folder], venue=venue))


@pytest.mark.parametrize("head", [b"", b"[]", b"{}", b'{"engine":{"venues":[{}]}}', b'{"record":1}'])
def test_a_journal_that_names_no_venue_is_none(tmp_path: Path, head: bytes) -> None:
    """Of whatever it may be."""
    folder = make(tmp_path, head, (IN, FEED, b"{}"))
    with pytest.raises(InputFileError, match="got none"):
        lines_of(folder, "binance")


def test_a_folder_without_a_journal_is_found_at_once(tmp_path: Path) -> None:
    """Before anything is read."""
    with pytest.raises(InputFileError, match="found no journal in it"):
        read_recording([tmp_path])


def test_a_torn_tail_is_left_out_and_damage_is_told(tmp_path: Path) -> None:
    """A half record at the end is what a death leaves; one in the middle is something else."""
    folder = make(tmp_path, header("binance"), *((IN, FEED, b"%d" % n * 50) for n in range(4)))
    (path,) = (folder / "journal").glob("*.journal")
    whole = path.read_bytes()
    path.write_bytes(whole[:-60])
    assert len(lines_of(folder, None)) == 3
    path.write_bytes(whole[:-200] + b"\xff" * 8 + whole[-192:])
    with pytest.raises(InputFileError, match="corrupt"):
        lines_of(folder, None)
