"""Lists of instruments, read with errors that name what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from bloor.errors import InputFileError, MoneyError, RemoteProtocolError
from bloor.market.listed import checked, read_list
from bloor.model.instrument import Instrument

GOOD = Instrument(
    venue="v", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=2, qty_decimals=8, max_lots=10
)  # fmt: skip


def test_a_file_that_is_no_list_is_named(tmp_path: Path) -> None:
    """With what was expected, and why it is none."""

    def refuse(body: bytes) -> list[Instrument]:
        raise RemoteProtocolError(f"{len(body)} bytes")

    path = tmp_path / "pairs.json"
    with pytest.raises(InputFileError, match=r"pairs\.json: cannot be read: No such file"):
        read_list(path, refuse, "a list of pairs")
    path.write_bytes(b"{}")
    with pytest.raises(InputFileError, match=r"pairs\.json: expected a list of pairs: 2 bytes"):
        read_list(path, refuse, "a list of pairs")
    assert read_list(path, lambda _: [GOOD], "a list of pairs") == [GOOD]


def test_an_entry_that_is_wrong_is_named() -> None:
    """Whoever refuses it: the venue's plug-in, a number, the instrument itself, or its own limits."""

    def fail(error: Exception) -> Instrument:
        raise error

    assert checked("pairs", "AB", lambda: GOOD) == GOOD
    for error, words in (
        (MoneyError("too fine"), "pairs: AB: too fine"),
        (RemoteProtocolError("pairs: field 'x': expected y"), "AB: pairs: field 'x'"),
        (ValueError("min_lots"), "pairs: AB: min_lots"),
    ):
        with pytest.raises(RemoteProtocolError, match=f"^{words}"):
            checked("pairs", "AB", lambda error=error: fail(error))
    with pytest.raises(RemoteProtocolError, match="does not fit 63 bits"):
        checked("pairs", "AB", lambda: evolve(GOOD, max_lots=1 << 40, lot_units=1 << 30))
