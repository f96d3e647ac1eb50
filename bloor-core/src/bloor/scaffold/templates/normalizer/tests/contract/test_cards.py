"""The numbered cards of :mod:`bloor.testing`, on this plug-in."""

from __future__ import annotations

from bloor.testing import NormalizerCards

LISTING = b"""{"instruments":[{"symbol":"BTC_USDT","base":"BTC","quote":"USDT","price_step":"0.01","qty_step":"0.00001",
"min_qty":"0.00001","min_value":"5","trading":true}]}"""

#: Frames of one connection in order. TODO: what your venue really sends.
FRAMES = (
    b'{"type":"subscribed","symbols":["BTC_USDT"]}',
    b'{"type":"book","symbol":"BTC_USDT","snapshot":true,"seq":41,"time_ns":1700000000000000000,'
    b'"bids":[["59999.99","0.5"],["59999.98","1.25"]],"asks":[["60000.00","0.2"],["60000.05","3"]]}',
    b'{"type":"trade","symbol":"BTC_USDT","id":7,"price":"60000.00","qty":"0.2","side":"buy",'
    b'"time_ns":1700000000100000000}',
    b'{"type":"book","symbol":"BTC_USDT","snapshot":false,"seq":42,"time_ns":1700000000100000000,'
    b'"bids":[],"asks":[["60000.00","0"]]}',
    b'{"type":"book","symbol":"BTC_USDT","snapshot":false,"seq":43,"time_ns":1700000000200000000,'
    b'"bids":[["60000.01","0.75"]],"asks":[]}',
    b'{"type":"book","symbol":"BTC_USDT","snapshot":false,"seq":44,"time_ns":1700000000300000000,'
    b'"bids":[["60000.01","0.25"]],"asks":[["60000.10","1"]]}',
    b'{"type":"heartbeat","time_ns":1700000001000000000}',
)


class TestNormalizer(NormalizerCards):
    """Frames to messages."""

    plugin = "acme"
    listing = LISTING
    frames = FRAMES
    symbols = ("BTC-USDT",)
