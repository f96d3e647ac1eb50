"""What reference normalizers read fields with."""

from __future__ import annotations

import pytest

from bloor.errors import RemoteProtocolError
from bloor.market.fields import LEVELS, integer, positive, printable, quantity


@pytest.mark.parametrize("text", ["0.10", "1", "12345678901234567890.000000001"])
def test_plain_numbers_stay_the_text_they_came_as(text: str) -> None:
    """No digit is added or taken away."""
    assert positive("trade", {"p": text}, "p") == text
    assert quantity("trade", {"p": text}, "p") == text


@pytest.mark.parametrize(
    "value", ["", "-1", "+1", "1e3", ".5", "5.", "1.2.3", "NaN", "1_0", "\u0661", " 1", 1, 1.5, None]
)
def test_what_is_no_plain_number_is_named(value: object) -> None:
    """Message, field, what was expected and what came."""
    for read in (positive, quantity):
        with pytest.raises(RemoteProtocolError, match=r"^trade: field 'p': expected a .*plain number as text, got "):
            read("trade", {"p": value}, "p")


def test_zero_is_a_quantity_and_no_price() -> None:
    """A level of quantity zero is gone; a price of zero is none."""
    assert quantity("book", {"q": "0.000"}, "q") == "0.000"
    with pytest.raises(RemoteProtocolError, match="positive"):
        positive("book", {"q": "0.000"}, "q")
    assert LEVELS.fullmatch("1.0|0|2|0.5|")
    assert not LEVELS.fullmatch("1.0|0|0|0.5|")


@pytest.mark.parametrize(
    ("value", "came"), [(-1, "-1"), (True, "True"), (1 << 63, "9223372036854775808"), ("1", "'1'")]
)
def test_integers_fit_into_63_bits(value: object, came: str) -> None:
    """A truth value and a text are none."""
    assert integer("book", {"u": (1 << 63) - 1}, "u") == (1 << 63) - 1
    with pytest.raises(RemoteProtocolError, match=f"expected an integer from 0 to 2.*, got {came}"):
        integer("book", {"u": value}, "u")
    with pytest.raises(RemoteProtocolError, match="got nothing"):
        integer("book", {}, "u")


def test_names_are_printable() -> None:
    """Letters of any script, no white space, no more than 64."""
    assert printable("trade", {"s": "\u5e01\u5b89BTC"}, "s", "a symbol") == "\u5e01\u5b89BTC"
    for value in ("", "A B", "A\n", "A" * 65, 7):
        with pytest.raises(RemoteProtocolError, match="expected a symbol"):
            printable("trade", {"s": value}, "s", "a symbol")
