"""A venue whose frames are JSON lists, for tests of what is stored.

``["t", symbol, id, price, qty, side, time]`` is a trade, ``["q", symbol, seq, bid, qty, ask, qty]`` a quote,
``["b", symbol, snapshot, first, last, bids, asks, time]`` a book message; an object is a REST answer.
"""

from __future__ import annotations

import json

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import NormalizerSpec, hookimpl
from bloor.market.messages import BboMessage, BookMessage, OtherMessage, TradeMessage
from bloor.market.normalizer import SequenceRule


class Lists:
    """The normalizer."""

    venue = "lists"
    rule = SequenceRule.CONTIGUOUS

    def decode(self, frame):
        try:
            content = json.loads(frame)
        except ValueError as error:
            raise RemoteProtocolError(f"not JSON: {error}") from None
        if isinstance(content, dict):
            return [self.decode_snapshot(frame, "")]
        kind, *rest = content
        if kind == "t":
            symbol, number, price, qty, side, time = rest
            return [TradeMessage(symbol, str(number), price, qty, side, time)]
        if kind == "q":
            return [BboMessage(*rest)]
        if kind == "b":
            symbol, snapshot, first, last, bids, asks, time = rest
            return [BookMessage(symbol, snapshot, first, last, -1, bids, asks, time, checksum=self.said(last))]
        return [OtherMessage(kind)]

    def said(self, last):
        return -1

    def decode_snapshot(self, body, venue_symbol):
        content = json.loads(body)
        symbol, last = content.get("symbol", venue_symbol), content["last"]
        return BookMessage(symbol, True, last, last, -1, content["bids"], content["asks"], over_stream=False)

    def split(self, venue_symbol):
        return venue_symbol[:-1], venue_symbol[-1:]


class ShortLists(Lists):
    """Books are cut to two levels a side; every fifth message has a wrong checksum."""

    rule = SequenceRule.NONE

    def depth(self, venue_symbol):
        return 2

    def decimals(self, venue_symbol):
        return -1, -1

    def said(self, last):
        return 1 if last % 5 == 0 else 0

    def checksum(self, message, book):
        return 0


SPEC = NormalizerSpec(venue="lists", build=Lists, instruments=lambda path: ())
SHORT = NormalizerSpec(venue="lists", build=ShortLists, instruments=lambda path: ())


@hookimpl
def bloor_normalizer():
    return SPEC
