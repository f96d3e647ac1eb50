"""Venues for tests of several in one run: the simulated Binance once more, under other names.

``twin`` is the same in every way. At ``letters`` every request about orders is a request over REST, with a body that is
signed in the head when it is written, as at venues that have no other way; its connection only brings what happens to
orders, and before anything is asked for, a REST answer has to give a token.
"""

from __future__ import annotations

from urllib.parse import quote

import attrs
import orjson

from bloor.hookspecs import SimulatedVenueSpec, hookimpl
from bloor.model.orders import ReportKind, VenueReport
from bloor.venue.session import Request
from bloor_binance import plugin as binance
from bloor_binance.config import BinanceConfig
from bloor_binance.executor import BinanceExecutor
from bloor_binance.normalizer import BinanceSpotNormalizer
from bloor_binance.simulated import SimulatedBinance

SECOND = 1_000_000_000
#: Tag of the request that brings the token, and what stands in the token's place in a journal.
TOKEN, HIDDEN = "token", "***"


class LetterExecutor(BinanceExecutor):
    """Order entry of ``letters``; see :class:`bloor.venue.session.DiscreetSession`."""

    def __init__(self, context):
        super().__init__(context)
        self.token = ""
        self.entry = None  # nothing is encoded without Python

    def received(self, frame, now_ns):
        reports, actions = super().received(frame, now_ns)
        if self.ready and not self.token:
            self.ready = False
            return reports, (*actions, Request(tag=TOKEN, method="GET", path="/api/v3/time", params="", about=TOKEN))
        return reports, actions

    def take_secrets(self, tag, status, body):
        if tag != TOKEN or status != 200:
            return body
        self.token = str(orjson.loads(body)["serverTime"])
        return orjson.dumps({"serverTime": HIDDEN})

    def responded(self, tag, status, body, now_ns):
        if (status, body) == (429, b"") and tag.startswith("n"):
            return (VenueReport(kind=ReportKind.REJECT, client_id=tag[1:], reason="held back"),), ()
        if tag != TOKEN:
            return super().responded(tag, status, body, now_ns)
        assert body == orjson.dumps({"serverTime": HIDDEN})
        self.ready = True
        return (), ()

    def disconnected(self, now_ns, reason):
        self.token = ""
        return super().disconnected(now_ns, reason)

    def _ask_for(self, operation, name, params, now_ns, about=""):
        request = self._rest.request(operation, operation.value.letter + name, params, now_ns, about=about or name)
        if request.method != "POST":
            return request
        # what is asked for goes into the body, and the signature into the head
        body, keys = request.params.encode(), self._keys
        return attrs.evolve(
            request, params="", signature="", body=body, patience_ns=SECOND,
            headers={**request.headers, "Content-Type": "application/x-www-form-urlencoded"},
            sign=lambda written_ns: {"X-Signature": keys.sign(body), "X-Written": str(written_ns)},
        )  # fmt: skip


class LetterVenue(SimulatedBinance):
    """The simulated ``letters``: no order over its connection, and signatures in the head."""

    def received(self, conn, payload, now_ns):
        assert b'"order.' not in payload, payload
        super().received(conn, payload, now_ns)

    def request(self, request, now_ns):
        if request.body:
            assert abs(int(request.headers["x-written"]) - now_ns) < SECOND
            request = request._replace(query="signature=" + quote(request.headers["x-signature"], safe=""))
        return super().request(request, now_ns)


class Renamed:
    """The plug-in ``binance`` under another name."""

    def __init__(self, name, executor=BinanceExecutor, simulated=SimulatedBinance):
        self._name, self._executor, self._simulated = name, executor, simulated

    @hookimpl
    def bloor_venue_config(self):
        return BinanceConfig

    @hookimpl
    def bloor_feed(self):
        spec = binance.bloor_feed()

        def renamed(body):
            return [attrs.evolve(i, venue=self._name) for i in spec.parse_instruments(body)]

        return attrs.evolve(spec, venue=self._name, parse_instruments=renamed)

    @hookimpl
    def bloor_normalizer(self):
        normalizer = type("Normalizer", (BinanceSpotNormalizer,), {"venue": self._name})
        return attrs.evolve(binance.bloor_normalizer(), venue=self._name, build=normalizer)

    @hookimpl
    def bloor_executor(self):
        return attrs.evolve(binance.bloor_executor(), venue=self._name, build=self._executor)

    @hookimpl
    def bloor_simulated_venue(self):
        return SimulatedVenueSpec(venue=self._name, build=self._simulated)


twin = Renamed("twin")
letters = Renamed("letters", LetterExecutor, LetterVenue)
