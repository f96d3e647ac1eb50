"""Acme's frames to messages, numbers still as their exact text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import NormalizerSpec
from bloor.market.messages import BookMessage, Message, OtherMessage, TradeMessage
from bloor.market.normalizer import SequenceRule

from bloor_acme.instruments import load_instruments, split
from bloor_acme.protocol import flag, integer, levels, number, parsed, text, wrong

__all__ = ["AcmeNormalizer", "normalizer_spec"]

_SIDES = {"buy": 1, "sell": -1}


class AcmeNormalizer:
    """See :class:`bloor.market.normalizer.Normalizer`."""

    venue = "acme"
    rule = SequenceRule.CONTIGUOUS

    def decode(self, frame: bytes) -> Sequence[Message]:
        """Everything a frame holds.

        Raises:
            RemoteProtocolError: The frame is not what the venue may send; the message names the field.
        """
        message = parsed(frame)
        kind = message.get("type")
        if kind == "book":
            return (_book(message),)
        if kind == "trade":
            return (_trade(message),)
        return (OtherMessage(str(kind)[:40]),)

    def decode_snapshot(self, body: bytes, venue_symbol: str) -> BookMessage:
        """Whole books come over the stream only. Raises RemoteProtocolError."""
        raise RemoteProtocolError("acme sends whole books over the stream, never over REST")

    def split(self, venue_symbol: str) -> tuple[str, str]:
        """Base and quote of a venue symbol."""
        return split(venue_symbol)


def _book(row: Mapping[str, Any]) -> BookMessage:
    seq = integer("book", row, "seq")
    return BookMessage(
        symbol=text("book", row, "symbol"),
        snapshot=flag("book", row, "snapshot"),
        first_seq=seq,
        last_seq=seq,
        prev_seq=-1,
        bids=levels("book", row, "bids"),
        asks=levels("book", row, "asks"),
        exch_ns=integer("book", row, "time_ns"),
    )


def _trade(row: Mapping[str, Any]) -> TradeMessage:
    side = row.get("side")
    if type(side) is not str or side not in _SIDES:
        raise wrong("trade", "side", "buy or sell", side)
    return TradeMessage(
        symbol=text("trade", row, "symbol"),
        trade_id=str(integer("trade", row, "id")),
        price=number("trade", row, "price", positive=True),
        qty=number("trade", row, "qty", positive=True),
        taker_side=_SIDES[side],
        exch_ns=integer("trade", row, "time_ns"),
    )


def normalizer_spec() -> NormalizerSpec:
    """What ``bloor_normalizer`` hands over."""
    return NormalizerSpec(venue="acme", build=AcmeNormalizer, instruments=load_instruments)
