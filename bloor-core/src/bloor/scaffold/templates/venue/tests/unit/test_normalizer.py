"""Frames to messages: what the venue sends, and what it must not send."""

from __future__ import annotations

import pytest
from bloor.errors import RemoteProtocolError
from bloor.market.messages import BookMessage, OtherMessage, TradeMessage

from bloor_acme.normalizer import AcmeNormalizer

BOOK = (
    b'{"type":"book","symbol":"BTC_USDT","snapshot":false,"seq":42,"time_ns":1700000000000000000,'
    b'"bids":[["59999.99","0"]],"asks":[]}'
)
TRADE = (
    b'{"type":"trade","symbol":"BTC_USDT","id":7,"price":"60000.00","qty":"0.1","side":"sell",'
    b'"time_ns":1700000000000000000}'
)


def test_a_change_of_a_book_keeps_its_texts() -> None:
    """Numbers stay the text that the venue sent."""
    (message,) = AcmeNormalizer().decode(BOOK)
    assert isinstance(message, BookMessage)
    assert (message.first_seq, message.last_seq, message.snapshot) == (42, 42, False)
    assert message.bids == [["59999.99", "0"]]


def test_a_trade_says_who_took() -> None:
    """The side is that of the taker."""
    (message,) = AcmeNormalizer().decode(TRADE)
    assert isinstance(message, TradeMessage)
    assert (message.trade_id, message.price, message.taker_side) == ("7", "60000.00", -1)


def test_other_frames_are_named() -> None:
    """A heartbeat is a valid frame that is not normalized."""
    assert AcmeNormalizer().decode(b'{"type":"heartbeat","time_ns":1}') == (OtherMessage("heartbeat"),)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (b"{", "not JSON"),
        (b"[]", "expected an object"),
        (TRADE.replace(b'"60000.00"', b'"6e4"'), "'price'"),
        (TRADE.replace(b'"60000.00"', b'"0"'), "'price'"),
        (TRADE.replace(b'"sell"', b'"maker"'), "'side'"),
        (BOOK.replace(b"42", b"-1"), "'seq'"),
        (BOOK.replace(b'["59999.99","0"]', b'["59999.99"]'), r"bids\[0\]"),
    ],
)
def test_what_is_wrong_is_named(frame: bytes, said: str) -> None:
    """An error names the field."""
    with pytest.raises(RemoteProtocolError, match=said):
        AcmeNormalizer().decode(frame)
