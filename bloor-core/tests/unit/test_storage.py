"""Catalogues: imports that are done once, days, other programs' formats, and what is said when something is wrong."""

from __future__ import annotations

import gzip
import json
import zipfile
from datetime import UTC, datetime

import numpy as np
import pytest

import bloor
from bloor.errors import InputFileError, UsageError
from bloor.market.events import EventKind, EventView, Flag
from bloor.storage.check import damaged
from bloor.storage.export import ExportFormat, export, hftbacktest_events
from bloor.storage.formats import hftbacktest as hft
from bloor.storage.formats.columns import column_decimals, integers
from bloor.storage.formats.prepared import plain
from bloor.storage.importing import ImportOptions, import_data
from bloor.storage.layout import DAY_NS, catalogue_folder, day_name, day_number, time_ns
from bloor.storage.load import load, open_part, stored_parts
from bloor.storage.manifest import read_imports
from bloor.storage.restore import replay_books

START = 19_000 * DAY_NS
SECOND = 10**9


@pytest.fixture
def keep(tmp_path, list_venue):
    """Imports files made of frames into a catalogue; gives what became of the imports."""

    def run(*files, spec=list_venue.SPEC, **options):
        return list(import_data(tmp_path / "catalogue", spec, files, ImportOptions(**options)))

    return run


@pytest.fixture
def recording(tmp_path):
    """Writes a recording of ``(time, frame)``."""

    def write(name, *lines):
        path = tmp_path / name
        path.write_text("".join(f"{time} {json.dumps(frame)}\n" for time, frame in lines))
        return path

    return write


def trade(number, price="1.5", qty="2", symbol="AB"):
    return ["t", symbol, number, price, qty, 1, 5]


def change(first, bids=(), asks=(), snapshot=False, symbol="AB"):
    return ["b", symbol, snapshot, first, first, bids, asks, 5]


# ---- imports ---------------------------------------------------------------------------------------------------------


def test_an_import_is_done_once(keep, recording, tmp_path):
    """The same source again changes nothing and says so, whatever it is called now."""
    source = recording("a.txt", (START, trade(1)))
    (first,) = keep(source)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "catalogue").rglob("*") if path.is_file()}
    copy = tmp_path / "b.txt"
    copy.write_bytes(source.read_bytes())
    for path in (source, copy):
        (again,) = keep(path)
        assert (again.new, again.already, again.manifest) == (False, [str(path)], first.manifest)
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "catalogue").rglob("*") if path.is_file()}


def test_a_later_recording_continues_the_books_of_one_that_is_here(keep, recording, tmp_path):
    """What was stored is read again so that books continue, and not stored twice."""
    a = recording("a.txt", (START, change(1, [["1", "1"]], [["2", "1"]], snapshot=True)), (START + 1, change(2)))
    b = recording("b.txt", (START + 2, change(3, [["1.5", "1"]])), (START + 3, trade(7)))
    keep(a)
    (second,) = keep(a, b)
    assert second.new and second.already == [str(a)]
    assert [source.stored for source in second.manifest.sources] == [False, True]
    rows = load("lists", "A-B", catalogue=tmp_path / "catalogue")
    assert rows["seq"][(rows["kind"] == EventKind.BOOK) & (rows["flags"] & Flag.UNSEEN == 0)].tolist() == [1, 2, 3]
    assert (rows["kind"] == EventKind.TRADE).sum() == 1
    own = load("lists", "A-B", catalogue=tmp_path / "catalogue", imports=[second.manifest.id])
    assert [book.view.best_bid for _, book in replay_books(own, own.instrument)] == [15]


def test_another_instrument_of_a_source_is_added(keep, recording, tmp_path):
    """Wanting more of a source stores what is missing of it, and only that."""
    source = recording("a.txt", (START, trade(1)), (START + 1, trade(1, symbol="CB")))
    keep(source, symbols=["A-B"])
    (more,) = keep(source)
    assert [part.instrument.symbol for part in more.manifest.parts] == ["C-B"]
    assert not keep(source, symbols=["C-B"])[0].new
    assert len(load("lists", "A-B", catalogue=tmp_path / "catalogue")) == 1


def test_replace_imports_anew(keep, recording, tmp_path):
    """With replace, the new import takes the place of the old one; one with other sources is not torn apart."""
    a, b = recording("a.txt", (START, trade(1))), recording("b.txt", (START + 1, trade(2)))
    (first,) = keep(a, b)
    with pytest.raises(UsageError, match=r"name these sources too.*b\.txt"):
        keep(a, replace=True)
    (second,) = keep(b, a, replace=True, assume_empty=True)
    assert second.new
    assert [made.id for made in read_imports(tmp_path / "catalogue")] == [second.manifest.id]
    assert not list((tmp_path / "catalogue").rglob(f"{first.manifest.id}*"))


def test_two_processes_do_not_do_the_same_import(keep, recording, tmp_path):
    """The second is told to wait."""
    fcntl = pytest.importorskip("fcntl")
    source = recording("a.txt", (START, trade(1)))
    (made,) = keep(source)
    lock = tmp_path / "catalogue" / ".staging" / f"{made.manifest.id}.lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="another process"):
            keep(source, replace=True)


def test_days_are_parts_and_each_stands_alone(keep, recording, tmp_path):
    """A part for each UTC day; the book is repeated after the first record of a day, unseen by a run."""
    source = recording(
        "a.txt",
        (START + DAY_NS - 2, change(1, [["1", "1"]], [["2", "1"]], snapshot=True)),
        (START + DAY_NS + 5, trade(1)),
        (START + DAY_NS + 6, change(2, [["1.5", "3"]])),
    )
    (made,) = keep(source)
    assert [(part.day, dict(part.kinds)) for part in made.manifest.parts] == [
        (day_name(19_000), {"book": 1, "level": 2}),
        (day_name(19_001), {"trade": 1, "book": 2, "level": 3}),
    ]
    rows = load("lists", "A-B", start=day_name(19_001), catalogue=tmp_path / "catalogue")
    assert [(book.view.seq, book.view.best_bid) for _, book in replay_books(rows, rows.instrument)] == [
        (1, 10),
        (2, 15),
    ]
    assert rows["flags"][rows["kind"] == EventKind.BOOK].tolist() == [Flag.SNAPSHOT | Flag.UNSEEN, 0]


def test_gaps_and_unreadable_lines_are_told(keep, recording, tmp_path):
    """The manifest lists gaps and the first errors with their places."""
    source = recording(
        "a.txt", (START, change(1, snapshot=True)), (START + 1, change(5)), (START + 2, trade(1, price="x"))
    )
    (made,) = keep(source)
    assert made.manifest.parts[0].gaps == [{"recv_ns": START + 1, "expected": 2, "got": 5}]
    assert made.manifest.counts["errors"] == 1
    assert made.manifest.errors[0].startswith(f"{source}:3: ")
    assert read_imports(tmp_path / "catalogue") == [made.manifest]


def test_several_messages_in_one_frame(tmp_path, list_venue, recording):
    """A snapshot that a run sees no event of keeps its place, and its value when later levels are finer."""

    class Many(list_venue.Lists):
        def decode(self, frame):
            return [message for part in json.loads(frame) for message in super(Many, self).decode(json.dumps(part))]

    from attrs import evolve

    spec = evolve(list_venue.SPEC, build=Many)
    rest = {"symbol": "AB", "last": 1, "bids": [["1", "1"]], "asks": [["2", "1"]]}
    source = recording(
        "a.txt", (START, [rest, trade(1, price="1.25")]), (START + 1, [rest, change(2, [["1.125", "1"]])])
    )
    list(import_data(tmp_path / "catalogue", spec, [source]))
    rows = load("lists", "A-B", catalogue=tmp_path / "catalogue")
    assert rows["kind"].tolist() == [4, 16, 16, 1, 4, 16, 16, 4, 16]
    assert rows["price"].tolist() == [1000, 1000, 2000, 1250, 1000, 1000, 2000, 1125, 1125]


def test_without_pyarrow_the_form_for_running_is_enough(keep, recording, tmp_path, monkeypatch):
    """Import and load need no extra; asking for what does says which."""
    monkeypatch.setattr("bloor.storage.importing.has_parquet", lambda: False)
    (made,) = keep(recording("a.txt", (START, trade(1))))
    assert made.manifest.parts[0].parquet is None
    assert len(load("lists", "A-B", catalogue=tmp_path / "catalogue")) == 1
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    from bloor.storage.sql import query

    with pytest.raises(UsageError, match=r"pip install 'bloor-core\[data\]'"):
        query(tmp_path / "catalogue", "select 1")


# ---- reading ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def catalogue(keep, recording, tmp_path):
    """Trades, quotes and a book of one instrument."""
    keep(
        recording(
            "a.txt",
            (START, change(1, [["1.10", "1"], ["1", "2"]], [["1.2", "3"]], snapshot=True)),
            (START + SECOND, trade(7, price="1.15", qty="0.5")),
            (START + 2 * SECOND, ["q", "AB", 9, "1.1", "1", "1.2", "3"]),
            (START + 3 * SECOND, change(2, [["1.1", "0"]])),
        )
    )
    return tmp_path / "catalogue"


def test_load_is_an_attribute_of_the_package(catalogue):
    """bloor.load gives the records, memory-mapped, with the instrument; kinds and times narrow it."""
    rows = bloor.load("lists", "A-B", catalogue=catalogue)
    assert rows.dtype == EventView.DTYPE and isinstance(rows.base, np.memmap)
    assert rows.instrument.price_decimals == 2 and rows[:2].instrument is rows.instrument
    assert bloor.load("lists", "A-B", "trade", catalogue=catalogue)["price"].tolist() == [115]
    some = bloor.load("lists", "A-B", ["bbo", EventKind.TRADE], START + SECOND, START + 2 * SECOND, catalogue=catalogue)
    assert some["kind"].tolist() == [EventKind.TRADE]
    moment = datetime.fromtimestamp((START + 2 * SECOND) / 1e9, UTC)
    assert bloor.load("lists", "A-B", start=moment, catalogue=catalogue)["kind"].tolist() == [3, 4, 16]


def test_the_catalogue_is_where_the_environment_says(catalogue, monkeypatch):
    """Without a folder: $BLOOR_CATALOGUE, else ./catalogue."""
    monkeypatch.setenv("BLOOR_CATALOGUE", str(catalogue))
    assert len(bloor.load("lists", "A-B")) == 8
    assert str(catalogue_folder(None, {})) == "catalogue"


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_have_numbers_and_integers(catalogue, library):
    """Prices as floats, NaN where there are none, and the integers they are made of."""
    pytest.importorskip(library)
    frame = bloor.load("lists", "A-B", ["trade", "bbo"], catalogue=catalogue, as_=library)
    assert list(frame["kind"]) == ["trade", "bbo"]
    assert list(frame["price"]) == [1.15, 1.1] and list(frame["raw_price"]) == [115, 110]
    assert np.isnan(frame["price2"][0]) and frame["price2"][1] == 1.2 and frame["qty2"][1] == 3.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"symbol": "A-C"}, "the catalogue has no lists:A-C; it has lists:A-B; did you mean 'lists:A-B'?"),
        ({"kinds": "trades"}, "did you mean 'trade'?"),
        ({"start": "yesterday"}, "start: expected a UTC date or time"),
        ({"as_": "list"}, "as_: expected 'numpy'"),
        ({"symbol": "AB"}, "expected BASE-QUOTE"),
    ],
)
def test_what_is_asked_wrongly(catalogue, arguments, says):
    """The message says what there is."""
    with pytest.raises(UsageError) as raised:
        bloor.load(**{"venue": "lists", "symbol": "A-B", "catalogue": catalogue, **arguments})
    assert says in str(raised.value)


def test_either_form_is_enough(catalogue):
    """A deleted form for running is read from Parquet; a damaged file is found."""
    rows = np.array(bloor.load("lists", "A-B", catalogue=catalogue))
    (stored,) = stored_parts(catalogue, "lists", "A-B")
    events = catalogue / stored.part.events.path
    content = events.read_bytes()
    events.unlink()
    assert np.array_equal(open_part(catalogue, stored.part), rows)
    assert damaged(catalogue, [stored.of]) == []
    events.write_bytes(content[:-64])
    with pytest.raises(InputFileError, match="expected 512 bytes, got 448"):
        bloor.load("lists", "A-B", catalogue=catalogue)
    assert "expected the hash" in damaged(catalogue, [stored.of])[0]
    events.unlink()
    (catalogue / stored.part.parquet.path).unlink()
    with pytest.raises(InputFileError, match="is missing"):
        bloor.load("lists", "A-B", catalogue=catalogue)
    assert damaged(catalogue, [stored.of]) == [f"{stored.part.events.path}: is missing"]


def test_parts_of_different_precision_become_one(keep, recording, tmp_path):
    """Two imports whose precision was inferred differently are counted in the finer units, merged by time."""
    keep(recording("a.txt", (START, trade(1, price="1")), (START + 9, trade(3, price="3"))))
    keep(recording("b.txt", (START + 5, trade(2, price="2.125"))))
    rows = load("lists", "A-B", catalogue=tmp_path / "catalogue")
    assert (rows["seq"].tolist(), rows["price"].tolist()) == ([1, 2, 3], [1000, 2125, 3000])
    duckdb = pytest.importorskip("duckdb")
    from bloor.storage.sql import query

    answer = query(tmp_path / "catalogue", "select price_exact, price from trades order by id")
    assert duckdb and [(str(exact.normalize()), number) for exact, number in answer] == [
        ("1", 1.0),
        ("2.125", 2.125),
        ("3", 3.0),
    ]


def test_a_manifest_that_is_none_is_told(catalogue):
    """Which file, and what was expected."""
    path = next((catalogue / "imports").glob("*.json"))
    path.write_text("[]")
    with pytest.raises(InputFileError, match="expected the manifest of an import"):
        read_imports(catalogue)
    path.write_text('{"format": 99}')
    with pytest.raises(InputFileError, match="use a newer bloor"):
        read_imports(catalogue)


def test_times():
    """Dates are UTC; the end of a span that is a date means the end of that day."""
    assert time_ns("2022-01-08", "x") == START + (day_number("2022-01-08") - 19_000) * DAY_NS
    assert time_ns("2022-01-08", "x", end=True) == time_ns("2022-01-09", "x")
    assert time_ns("2022-01-08T00:00:01+00:00", "x", end=True) == time_ns("2022-01-08", "x") + SECOND


# ---- formats of others -----------------------------------------------------------------------------------------------


DUMPS = {
    "ABB-trades-2024-08-08": """7,17.80,5.690,101.2,1583709433583,True,True
8,17.9,5,1,1583709433584,false,True
""",
    "ABB-aggTrades-2025-01-02": """7,17.80,5.69,70,71,1735776000000001,True,True
8,17.9,5,72,72,1735776000000002,False,True
""",
    "ABB-trades-2024-08-09": """id,price,qty,quote_qty,time,is_buyer_maker
7,17.8,5.69,101.2,1723075200000,true
8,17.9,5,1,1723075200001,false
""",
    "ABB-aggTrades-2024-08-09": """agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker
7,17.8,5.69,70,71,1723075200000,true
8,17.9,5,72,72,1723075200001,false
""",
}


@pytest.mark.parametrize("name", DUMPS)
@pytest.mark.parametrize("form", ["csv", "zip", "gz"])
def test_dumps_of_trades(keep, tmp_path, name, form):
    """All four layouts, with and without names of columns, plain and packed; ms and us."""
    path = tmp_path / f"{name}.{form}"
    if form == "csv":
        path.write_text(DUMPS[name])
    elif form == "gz":
        path.write_bytes(gzip.compress(DUMPS[name].encode()))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{name}.csv", DUMPS[name])
    (made,) = keep(path)
    assert (made.manifest.source_format, made.manifest.counts["errors"]) == ("binance-dump", 0)
    rows = load("lists", "AB-B", catalogue=tmp_path / "catalogue")
    assert rows["seq"].tolist() == [7, 8] and rows["side"].tolist() == [-1, 1]
    assert [rows.instrument.format_price(p) for p in rows["price"].tolist()] == ["17.8", "17.9"]
    assert [rows.instrument.format_qty(q) for q in rows["qty"].tolist()] == ["5.69", "5.00"]
    time = int(DUMPS[name].strip().splitlines()[-1].split(",")[5 if "agg" in name else 4])
    assert rows["exch_ns"][1] == time * (1_000 if time > 10**15 else 10**6) and rows["recv_ns"][1] == 0
    if "agg" in name:
        assert (rows["kind"][0], rows["price2"][0], rows["qty2"][0]) == (EventKind.AGG_TRADE, 70, 71)


def test_bad_rows_of_a_dump_are_told_and_the_others_kept(keep, tmp_path):
    """Each with its line; a file without a symbol in its name needs to be told whose it is."""
    path = tmp_path / "ABB-trades-2024-08-08.csv"
    good = "{},1.{},1,1,1583709433583,True,True"
    lines = [good.format(1, "5"), "nonsense", good.format(2, "25"), good.format(3, "1e5"), "", good.format(4, "0")]
    path.write_text("\n".join(lines))
    (made,) = keep(path)
    assert [error.removeprefix(str(path))[:3] for error in made.manifest.errors] == [":2:", ":4:"]
    rows = load("lists", "AB-B", catalogue=tmp_path / "catalogue")
    assert (rows["seq"].tolist(), rows["price"].tolist()) == ([1, 2, 4], [150, 125, 100])
    other = path.rename(tmp_path / "trades.csv")
    with pytest.raises(InputFileError, match="expected a name like"):
        keep(other, replace=True)
    assert keep(other, replace=True, symbols=["AB-B"])[0].manifest.counts["rows"] == 3


def test_columns_of_numbers():
    """Exact, whatever the texts; what is no number or too fine is refused."""
    assert column_decimals([b"1.50", b"2", b"0.001"]) == 3
    for texts in ([b"1.50", b"2.25"], [b"1.5", b"2", b"0.25"], [b"7", b"12"]):
        expected = [round(float(text) * 100) for text in texts]
        assert integers(texts, 2, 1).tolist() == expected
    assert integers([b"1.50", b"2.00"], 2, 25).tolist() == [6, 8]
    for texts, step in (
        ([b"1.505"], 1),
        ([b"1.", b"1."], 1),
        ([b"-1"], 1),
        ([b"1e3"], 1),
        ([b"1.1"], 25),
        ([b"1.5.5"], 1),
    ):
        with pytest.raises(ValueError):
            integers(texts, 2, step)


TARDIS_TRADES = """exchange,symbol,timestamp,local_timestamp,id,side,price,amount
binance,AB,1583709433583000,1583709433600000,77,buy,1.5,1e-7
binance,AB,1583709433584000,1583709433601000,x-y,sell,1.25,2
"""
TARDIS_BOOK = """exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount
binance,AB,1583709433583000,1583709433600000,false,bid,0.5,9
binance,AB,1583709433583000,1583709433601000,true,bid,1.5,1
binance,AB,1583709433583000,1583709433601000,true,ask,2,1
binance,AB,1583709433584000,1583709433602000,true,ask,3,1
binance,AB,1583709433584000,1583709433603000,false,bid,1.5,0
binance,AB,1583709433584000,1583709433603000,false,ask,1.75,2
binance,AB,bad,1583709433603000,false,ask,1.75,2
"""


def test_files_of_tardis(keep, tmp_path):
    """Trades and books; rows of one message are one message; a run of snapshot rows begins the book anew."""
    trades, book = tmp_path / "t.csv.gz", tmp_path / "b.csv"
    trades.write_bytes(gzip.compress(TARDIS_TRADES.encode()))
    book.write_text(TARDIS_BOOK)
    first, second = keep(trades, book)
    assert (first.manifest.source_format, second.manifest.counts["errors"]) == ("tardis", 1)
    rows = load("lists", "A-B", "trade", catalogue=tmp_path / "catalogue")
    assert rows["seq"].tolist() == [77, 2] and rows["side"].tolist() == [1, -1]
    assert [rows.instrument.format_qty(q) for q in rows["qty"].tolist()] == ["0.0000001", "2.0000000"]
    own = load("lists", "A-B", catalogue=tmp_path / "catalogue", imports=[second.manifest.id])
    tops = [(book.view.best_bid, book.view.best_ask, book.levels) for _, book in replay_books(own, own.instrument)]
    unit = 10**own.instrument.price_decimals
    assert tops[:2] == [(1.5 * unit, 2 * unit, (1, 1)), (1.5 * unit, 2 * unit, (1, 2))]
    assert tops[2][1:] == (1.75 * unit, (0, 3))


def test_arrays_of_hftbacktest(keep, tmp_path):
    """Books and trades; levels that are cleared are removed up to the price; whose they are has to be said."""
    rows = np.array(
        [
            (hft.SNAPSHOT | hft.BUY | hft.EXCHANGE | hft.LOCAL, 10, 20, 1.5, 1.0, 0, 0, 0.0),
            (hft.SNAPSHOT | hft.BUY | hft.EXCHANGE | hft.LOCAL, 10, 20, 1.4, 2.0, 0, 0, 0.0),
            (hft.SNAPSHOT | hft.SELL | hft.EXCHANGE | hft.LOCAL, 10, 20, 1.6, 1.0, 0, 0, 0.0),
            (hft.TRADE | hft.BUY | hft.EXCHANGE, 11, 21, 9.9, 9.0, 0, 0, 0.0),
            (hft.TRADE | hft.SELL | hft.EXCHANGE | hft.LOCAL, 12, 22, 1.5, 0.25, 0, 0, 0.0),
            (hft.CLEAR | hft.BUY | hft.EXCHANGE | hft.LOCAL, 13, 23, 1.5, 0.0, 0, 0, 0.0),
            (hft.DEPTH | hft.SELL | hft.EXCHANGE | hft.LOCAL, 13, 23, 1.55, 4.0, 0, 0, 0.0),
        ],
        hft.DTYPE,
    )
    rows["exch_ts"] += START
    rows["local_ts"] += START
    path = tmp_path / "a.npz"
    np.savez_compressed(path, data=rows)
    with pytest.raises(InputFileError, match="--symbol"):
        keep(path)
    keep(path, symbols=["A-B"])
    made = load("lists", "A-B", catalogue=tmp_path / "catalogue")
    states = [(book.view.best_bid, book.view.best_ask) for _, book in replay_books(made, made.instrument)]
    assert states == [(150, 160), (140, 155)]
    assert made["price"][made["kind"] == EventKind.TRADE].tolist() == [150]


def test_what_is_no_array_is_told(keep, tmp_path):
    """A message, never a traceback."""
    for name, content in (("a.npz", b"PK\x03\x04"), ("b.npz", b"text")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputFileError, match="cannot be read as an array"):
            keep(path, symbols=["A-B"])
    np.savez(tmp_path / "c.npz", data=np.zeros(3))
    with pytest.raises(InputFileError, match="expected rows with the fields ev"):
        keep(tmp_path / "c.npz", symbols=["A-B"])


def test_exponents_become_plain():
    """Small amounts of files made by JavaScript."""
    assert [plain(text) for text in ("1e-7", "2.5E-3", "12", "1.50")] == ["0.0000001", "0.0025", "12", "1.50"]


# ---- export ----------------------------------------------------------------------------------------------------------


def test_exports(catalogue, tmp_path):
    """CSV has exact text; Parquet has numbers; a missing folder is told."""
    rows = bloor.load("lists", "A-B", catalogue=catalogue)
    assert export(rows, tmp_path / "x.csv", ExportFormat.CSV) == 8
    lines = (tmp_path / "x.csv").read_text().splitlines()
    assert lines[0] == "kind,side,flags,seq,exch_ns,recv_ns,price,qty,price2,qty2"
    assert lines[1].startswith("book,0,1,1,5,") and lines[1].endswith(",1.10,1.0,1.20,3.0")
    assert lines[5].startswith("trade,1,0,7,5,") and lines[5].endswith(",1.15,0.5,,")
    pq = pytest.importorskip("pyarrow.parquet")
    export(rows, tmp_path / "x.parquet", ExportFormat.PARQUET)
    assert pq.read_table(tmp_path / "x.parquet")["price"].to_pylist()[4] == 1.15
    with pytest.raises(UsageError, match="there is no folder"):
        export(rows, tmp_path / "no" / "x.csv", ExportFormat.CSV)


def test_arrays_go_out_as_they_came_in(catalogue, keep, tmp_path):
    """Exported to hftbacktest's form and imported again, the book's tops are the same."""
    rows = bloor.load("lists", "A-B", catalogue=catalogue)
    tops = [book.top[:4].tolist() for _, book in replay_books(rows, rows.instrument)]
    export(rows, tmp_path / "x.npz", ExportFormat.NPZ_HFTBACKTEST)
    (made,) = keep(tmp_path / "x.npz", symbols=["A-B"])
    again = load("lists", "A-B", catalogue=catalogue, imports=[made.manifest.id])
    assert [book.top[:4].tolist() for _, book in replay_books(again, again.instrument)] == tops


def test_rows_of_hftbacktest_rise_in_both_times():
    """A row that is out of order in one time appears twice; receive times are never before the venue's."""
    rows = np.zeros(4, EventView.DTYPE)
    rows["kind"], rows["side"] = EventKind.TRADE, 1
    rows["exch_ns"], rows["recv_ns"] = [10, 30, 20, 40], [5, 6, 7, 100]
    made = hftbacktest_events(rows, make_unit())
    for flag, name in ((hft.EXCHANGE, "exch_ts"), (hft.LOCAL, "local_ts")):
        mine = made[made["ev"] & np.uint64(flag) != 0]
        assert len(mine) == 4 and (np.diff(mine[name]) >= 0).all()
    assert (made["local_ts"] >= made["exch_ts"]).all() and len(made) == 5


def make_unit():
    """Some instrument."""
    from bloor.model.instrument import Instrument

    return Instrument(venue="v", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=2, qty_decimals=3)
