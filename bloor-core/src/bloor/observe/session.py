"""The session folder: what a run leaves behind.

::

    SESSION/
        journal/            every frame in and out, every decision (bloor.journal)
        config.json         the resolved configuration, where each value came from, versions and hashes
        fills.jsonl         one line per fill
        accounts.json       live mode: what was found at each venue before the first order
        summary.json        the run's document, as ``bloor run --json`` prints it
        log.txt             what was logged

``fills.jsonl`` is for reading; the journal is the truth, and holds every fill even after a crash.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from bloor.errors import UsageError
from bloor.model.orders import Fill, Liquidity, Side

__all__ = ["Session", "fill_row"]


def fill_row(fill: Fill) -> dict[str, Any]:
    """One line of ``fills.jsonl``: money as decimal strings, ``ts_ns`` the venue's time of the trade."""
    i = fill.instrument
    return {
        "ts_ns": fill.exch_ns,
        "recv_ns": fill.recv_ns,
        "venue": i.venue,
        "symbol": i.symbol,
        "side": "buy" if fill.side is Side.BUY else "sell",
        "price": i.format_price(fill.price_ticks),
        "qty": i.format_qty(fill.units),
        "fee": f"{fill.fee:f}",
        "fee_asset": fill.fee_asset,
        "fee_quote": f"{fill.fee_quote:f}",
        "order": fill.client_id,
        "trade_id": fill.trade_id,
        "liquidity": "maker" if fill.liquidity is Liquidity.MAKER else "taker",
    }


class Session:
    """One session folder, made new.

    Args:
        path: Where; it must not exist yet, or be an empty folder.

    Raises:
        UsageError: Something is there already, or the folder cannot be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise UsageError(f"--session {path}: expected a new or empty folder, found files in it; name another")
        except OSError as error:
            raise UsageError(f"--session {path}: cannot make this folder: {error.strerror}") from error
        self.path = path.resolve()
        self.journal = self.path / "journal"
        self._fills: BinaryIO = (self.path / "fills.jsonl").open("ab", buffering=0)

    @classmethod
    def default_path(cls, root: Path, name: str, now_ns: int) -> Path:
        """``root/20261122-104821-momentum``, with a number behind it when that is taken."""
        stamp = datetime.fromtimestamp(now_ns / 1e9, UTC).strftime("%Y%m%d-%H%M%S")
        path = root / f"{stamp}-{name}"
        tries = 1
        while path.exists():
            tries += 1
            path = root / f"{stamp}-{name}-{tries}"
        return path

    def fills(self, fills: list[Fill]) -> None:
        """Appends fills, one write for all of them."""
        if fills:
            self._fills.write(b"".join(orjson.dumps(fill_row(f)) + b"\n" for f in fills))

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Writes a JSON document whole or not at all."""
        handle, temporary = tempfile.mkstemp(dir=self.path, prefix=f".{name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
        Path(temporary).replace(self.path / name)

    def discard(self) -> None:
        """Takes the folder away again: the run was refused before anything happened in it."""
        self.close()
        shutil.rmtree(self.path)
        with contextlib.suppress(OSError):
            self.path.parent.rmdir()

    def close(self) -> None:
        """Closes the files."""
        self._fills.close()
