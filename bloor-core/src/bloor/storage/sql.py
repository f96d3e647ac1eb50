"""SQL over a catalogue: DuckDB reading the Parquet form.

Views: ``events`` (every record) and ``trades``, ``bbo``, ``book`` and ``levels``. Each has ``venue``, ``symbol`` and
``day``; prices and quantities stand there as doubles (``price``) and exactly as decimals (``price_exact``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bloor.errors import UsageError
from bloor.market.events import NO_PRICE, EventKind, EventView, Flag
from bloor.storage.cells import PRICES, QUANTITIES
from bloor.storage.layout import EVENTS, PARQUET, replaced
from bloor.storage.manifest import Part, read_imports
from bloor.storage.parquet import write_parquet

__all__ = ["Answer", "connect", "query"]

_TIMES = "make_timestamp_ns(nullif(recv_ns, 0)) AS recv_time, make_timestamp_ns(nullif(exch_ns, 0)) AS exch_time"
_WHERE = "venue, symbol, day"
_QUOTE = "price AS bid, qty AS bid_qty, price2 AS ask, qty2 AS ask_qty"
_EXACT_QUOTE = (
    "price_exact AS bid_exact, qty_exact AS bid_qty_exact, price2_exact AS ask_exact, qty2_exact AS ask_qty_exact"
)
_SIDE = "CASE side WHEN 1 THEN '{}' WHEN -1 THEN '{}' END AS side"
_SEEN = "file, row"
_ORDER = (
    "nullif(raw_price2, 0) AS order_number, CASE WHEN raw_price2 <> 0 THEN qty2 END AS executed, "
    "CASE WHEN raw_price2 <> 0 THEN qty2_exact END AS executed_exact"
)
_FLAGS = f"flags & {Flag.SNAPSHOT:d} <> 0 AS snapshot, flags & {Flag.UNSEEN:d} <> 0 AS unseen"

_QUOTED = f"{_WHERE}, {_TIMES}, recv_ns, exch_ns, seq, {_QUOTE}, {_EXACT_QUOTE}, {_SEEN}"
#: View -> its columns and kinds.
VIEWS = {
    "trades": (
        (
            f"{_WHERE}, {_TIMES}, recv_ns, exch_ns, seq AS id, kind = {EventKind.AGG_TRADE:d} AS aggregated, "
            f"{_SIDE.format('buy', 'sell')}, price, qty, price_exact, qty_exact, "
            f"CASE kind WHEN {EventKind.AGG_TRADE:d} THEN raw_price2 END AS first_id, "
            f"CASE kind WHEN {EventKind.AGG_TRADE:d} THEN raw_qty2 END AS last_id, {_SEEN}"
        ),
        (EventKind.TRADE, EventKind.AGG_TRADE),
    ),
    "bbo": (_QUOTED, (EventKind.BBO,)),
    "book": (f"{_QUOTED}, {_FLAGS}", (EventKind.BOOK,)),
    "levels": (
        (
            f"{_WHERE}, {_TIMES}, recv_ns, exch_ns, seq, {_SIDE.format('bid', 'ask')}, "
            f"price, qty, price_exact, qty_exact, {_ORDER}, {_SEEN}, {_FLAGS}"
        ),
        (EventKind.LEVEL,),
    ),
}


class Answer:
    """The result of a query.

    Iterating gives the rows, once; it raises UsageError when the statement fails on the way.

    Attributes:
        columns: Names of the columns.
    """

    def __init__(self, relation: Any) -> None:
        self.columns: list[str] = [column[0] for column in relation.description] if relation.description else []
        self._relation = relation

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        import duckdb

        try:
            while some := self._relation.fetchmany(1_000):
                yield from some
        except duckdb.Error as error:
            raise UsageError(f"sql: {error}") from None


def query(catalogue: Path, text: str) -> Answer:
    """Runs one statement over the views of a catalogue.

    Raises:
        UsageError: DuckDB is not installed, the catalogue is empty, or the statement is wrong.
    """
    connection = connect(catalogue)
    import duckdb

    try:
        return Answer(connection.execute(text))
    except duckdb.Error as error:
        raise UsageError(f"sql: {error}") from None


def connect(catalogue: Path) -> Any:
    """A DuckDB connection in memory with the views of a catalogue.

    Raises:
        UsageError: DuckDB is not installed, or the catalogue is empty.
    """
    try:
        import duckdb
    except ImportError:
        raise UsageError("SQL needs DuckDB, which is not installed: pip install 'bloor-core[data]'") from None
    parts = [part for made in read_imports(catalogue) for part in made.parts]
    if not parts:
        raise UsageError(f"{catalogue}: the catalogue is empty; fill it with bloor data import")
    connection = duckdb.connect()
    connection.execute(f"CREATE VIEW events AS {_events(catalogue, parts)}")
    for name, (columns, kinds) in VIEWS.items():
        chosen = ", ".join(str(int(kind)) for kind in kinds)
        text = f"CREATE VIEW {name} AS SELECT {columns} FROM events WHERE kind IN ({chosen})"  # noqa: S608 (all of it ours)
        connection.execute(text)
    return connection


def _events(catalogue: Path, parts: Sequence[Part]) -> str:
    """All records: one SELECT for each definition of ticks and units."""
    groups: dict[tuple[int, int, int], list[Path]] = {}
    for part in parts:
        unit = part.instrument
        key = (unit.price_decimals, unit.tick_units, unit.qty_decimals)
        groups.setdefault(key, []).append(_parquet(catalogue, part))
    return " UNION ALL ".join(_select(*key, files) for key, files in groups.items())


def _parquet(catalogue: Path, part: Part) -> Path:
    """The Parquet file of a part; made now if the part was imported where Parquet could not be written."""
    path = (catalogue / part.events.path).with_suffix(PARQUET)
    if not path.exists():
        events = catalogue / part.events.path
        if not events.exists():
            raise UsageError(f"{path.with_suffix(EVENTS)}: is missing: import its source again with --replace")
        with replaced(path) as temporary:
            write_parquet(np.memmap(events, EventView.DTYPE, "r"), temporary, part.instrument)
    return path


def _select(price_decimals: int, tick_units: int, qty_decimals: int, files: Sequence[Path]) -> str:
    names = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    columns = []
    for name in ("price", "qty", "price2", "qty2"):
        scales = ((PRICES, tick_units, price_decimals), (QUANTITIES, 1, qty_decimals))
        whens = [
            (f"WHEN kind IN ({_numbers(cells[name])}) AND {name} <> {NO_PRICE} THEN", f"{name} * {step}", decimals)
            for cells, step, decimals in scales
            if name in cells
        ]
        if name == "qty2":  # a level's is what was executed of an order, where the data say whose
            whens.insert(0, (f"WHEN kind = {EventKind.LEVEL:d} AND price2 = 0 THEN", "NULL", qty_decimals))
        rough = " ".join(f"{when} ({value})::DOUBLE / 1e{decimals}" for when, value, decimals in whens)
        exact = " ".join(
            f"{when} CAST({value} AS DECIMAL(19, 0)) * CAST('{_unit(decimals)}' AS DECIMAL(19, 18))"
            for when, value, decimals in whens
        )
        columns += [f"CASE {rough} END AS {name}", f"CASE {exact} END AS {name}_exact", f"{name} AS raw_{name}"]
    columns += ["filename AS file", "row"]
    options = "hive_partitioning = true, hive_types_autocast = false, filename = true"
    fixed = "venue, symbol, CAST(day AS DATE) AS day, kind, side, flags, seq, exch_ns, recv_ns"
    return f"SELECT {fixed}, {', '.join(columns)} FROM read_parquet([{names}], {options})"  # noqa: S608 (all of it ours)


def _numbers(kinds: Iterable[EventKind]) -> str:
    return ", ".join(str(int(kind)) for kind in sorted(kinds))


def _unit(decimals: int) -> str:
    return "1" if decimals == 0 else "0." + "1".rjust(decimals, "0")
