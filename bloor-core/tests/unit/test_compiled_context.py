"""How compiled code finds an instrument."""

from __future__ import annotations

import ctypes

import pytest

from bloor.market.compiled import context as cells
from bloor.market.compiled.context import Context, find_slot
from bloor.market.normalizer import SequenceRule
from bloor.model.instrument import Instrument
from bloor.native.memory import cell_at


def instrument(name: str, qty_decimals: int = 3) -> Instrument:
    return Instrument(
        venue="v", symbol="A-B", venue_symbol=name, base="A", quote="B", price_decimals=2, qty_decimals=qty_decimals
    )


def found(context: Context, name: str, upper: int = 0) -> int:
    """The number of the slot of a name; -1 without one."""
    text = name.encode()
    at = ctypes.cast(text, ctypes.c_void_p).value or 0
    table, mask, slots = (int(context.cells[i]) for i in (cells.SYMBOLS, cells.SYMBOL_MASK, cells.SLOTS))
    slot = find_slot(table, mask, slots, at, at + len(text), upper)
    return cell_at(slot + 8 * cells.NUMBER) if slot else -1


def test_a_thousand_instruments_are_found() -> None:
    """However many instruments one connection has, each is found by its own name and by no other."""
    context = Context(SequenceRule.CONTIGUOUS)
    names = [f"COIN{n}USDT" for n in range(1000)]
    for n, name in enumerate(names):
        assert context.register(instrument(name), n, None) == n
    assert [found(context, name) for name in names] == list(range(1000))
    assert found(context, "COIN1000USDT") == found(context, "COIN1USD") == found(context, "") == -1


def test_small_letters_count_where_a_stream_is_named() -> None:
    """Streams are named in small letters, events in capitals; a name beyond ASCII is left to the reference."""
    context = Context(SequenceRule.CONTIGUOUS)
    context.register(instrument("BTCUSDT"), 0, None)
    context.register(instrument("É1"), 1, None)
    assert (found(context, "btcusdt", 1), found(context, "btcusdt"), found(context, "BTCUSDT", 1)) == (0, -1, 0)
    assert (found(context, "É1"), found(context, "É1", 1)) == (1, -1)


def test_an_instrument_is_said_anew() -> None:
    """A refined instrument keeps its slot and changes its decimals."""
    context = Context(SequenceRule.PREVIOUS)
    assert context.register(instrument("AB"), 4, None) == 0
    assert context.register(instrument("AB", 5), 4, None) == 0
    assert cell_at(int(context.cells[cells.SLOTS]) + 8 * cells.QTY_DECIMALS) == 5


@pytest.mark.parametrize("name", ["A" * 33, "币" * 11])
def test_a_name_that_fits_no_slot(name: str) -> None:
    """A very long name has no slot: its frames are the reference's."""
    context = Context(SequenceRule.CONTIGUOUS)
    assert context.register(instrument(name), 0, None) == -1
    assert found(context, name) == -1
