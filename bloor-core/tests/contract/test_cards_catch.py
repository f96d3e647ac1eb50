"""Each card catches what it says: in a package that passes, one line is made wrong, and the card fails."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bloor import testing
from bloor.plugins.catalog import Catalog
from bloor.scaffold import ScaffoldKind, new_package
from bloor.testing import examples
from bloor.testing.cards.base import cards_of

NAMES = {ScaffoldKind.VENUE: "lime", ScaffoldKind.STRATEGY: "plum", ScaffoldKind.RISK_CHECK: "moss"}
KINDS = {
    "F": (ScaffoldKind.VENUE, "FeedCards"),
    "N": (ScaffoldKind.VENUE, "NormalizerCards"),
    "E": (ScaffoldKind.VENUE, "ExecutorCards"),
    "V": (ScaffoldKind.VENUE, "SimulatedVenueCards"),
    "S": (ScaffoldKind.STRATEGY, "StrategyCards"),
    "R": (ScaffoldKind.RISK_CHECK, "RiskCheckCards"),
}
CARDS: dict[str, Any] = {name: getattr(testing, name) for name in testing.__all__}
TRADED = "        price = trade.price\n"
TOUCH = "bid, ask = book.best_bid, book.best_ask"
NO_LOSS = "self.ready = self._waiting = False\n        self.deadline_ns = NEVER\n        return ()"
SEEDED = "style(instrument.symbol), options, "
NUMBER = 'as text", value)\n    return '
CLOCK = '__import__("time").time_ns()'
READS_A_CLOCK = f"self._read_ns = {CLOCK}"


class Wrong(NamedTuple):
    """A line that is made wrong, and the card that must see it."""

    card: str
    file: str
    line: str
    becomes: str


WRONG = [
    # feed
    Wrong("F01", "feed.py", 'default_symbol="BTC-USDT"', 'default_symbol="BTC_USDT"'),
    Wrong("F02", "instruments.py", 'venue="lime"', 'venue="other"'),
    Wrong("F03", "protocol.py", "except orjson.JSONDecodeError", "except KeyError"),
    Wrong("F04", "feed.py", "self.ready = False\n        self._symbols", "self.ready = True\n        self._symbols"),
    Wrong("F05", "feed.py", "self._alive_ns = now_ns\n        self._due", f"{READS_A_CLOCK}\n        self._due"),
    Wrong("F06", "feed.py", "self._subscribe(self._symbols, now_ns)", "self._subscribe(self._symbols[:1], now_ns)"),
    Wrong("F07", "feed.py", '"op": "subscribe"', '"op": "subscribed"'),
    Wrong("F08", "feed.py", '== "error"', '== "never"'),
    Wrong("F09", "feed.py", "min(self._alive_ns + IDLE_NS,", "min(self._alive_ns,"),
    Wrong("F10", "feed.py", "now_ns - self._alive_ns >= IDLE_NS", "now_ns < 0"),
    Wrong("F11", "feed.py", "IDLE_NS = 5 * SECOND", "IDLE_NS = SECOND // 20"),
    Wrong("F13", "feed.py", 'survives a connection."""\n        self.ready = False', 'survives."""'),
    Wrong("F14", "feed.py", "return self._subscribe(self._symbols, now_ns)",
          "return () if self._asked_ns else self._subscribe(self._symbols, now_ns)"),
    Wrong("F15", "feed.py", "return self._subscribe([venue_symbol], now_ns)",
          "return self._subscribe(self._symbols, now_ns)"),
    Wrong("F19", "feed.py", "except RemoteProtocolError:", "except KeyError:"),
    Wrong("F20", "feed.py", "return (), None", "return (), SnapshotBody(tag, body)"),
    Wrong("F21", "feed.py", "limit=600", "limit=0"),
    # normalizer
    Wrong("N01", "normalizer.py", "rule = SequenceRule.CONTIGUOUS", 'rule = "contiguous"'),
    Wrong("N02", "normalizer.py", 'if kind == "trade"', 'if kind == "trades"'),
    Wrong("N03", "protocol.py", "except orjson.JSONDecodeError", "except KeyError"),
    Wrong("N04", "normalizer.py", 'raise RemoteProtocolError("lime sends', 'raise ValueError("lime sends'),
    Wrong("N05", "protocol.py", 'raise RemoteProtocolError(f"not JSON: {error}") from error', "return {}"),
    Wrong("N06", "protocol.py", 'f"not JSON: {error}"', 'f"not JSON: {frame!r}"'),
    Wrong("N07", "protocol.py", "type(level) is not list or len(level) != 2", "False"),
    Wrong("N08", "normalizer.py", "message = parsed(frame)",
          'message = parsed(frame) if frame.startswith(b\'{"type"\') else {}'),
    Wrong("N09", "normalizer.py", 'integer("book", row, "seq")', 'integer("book", row, "seq") // (len(row) < 8)'),
    Wrong("N10", "normalizer.py", "message = parsed(frame)", 'message = {} if b"\\\\u" in frame else parsed(frame)'),
    Wrong("N11", "protocol.py", NUMBER + "value", NUMBER + "repr(float(value))"),
    Wrong("N13", "normalizer.py", 'exch_ns=integer("trade", row, "time_ns")', f"exch_ns={CLOCK}"),
    Wrong("N14", "normalizer.py", "first_seq=seq", "first_seq=0"),
    Wrong("N15", "protocol.py", 'number(f"{what} {name}[{n}]", pair, "price", positive=True)',
          'level[0] = level[0] if _NUMBER.fullmatch(level[0]) else "1"'),
    Wrong("N21", "instruments.py", "return base, other or base", "return other, base"),
    Wrong("N22", "instruments.py", "except OSError as error", "except KeyError as error"),
    # executor
    Wrong("E01", "executor.py", "LOST_AFTER_NS = 20 * SECOND", "LOST_AFTER_NS = SECOND"),
    Wrong("E02", "credentials.py", "if not isinstance(keys.get(name), str) or not keys[name]", "if not keys[name]"),
    Wrong("E03", "credentials.py", "key: str = field(repr=False)", "key: str = field()"),
    Wrong("E04", "executor.py", "self.deadline_ns = now_ns + ANSWER_NS", "self.deadline_ns = now_ns + 1"),
    Wrong("E05", "executor.py", '{"op": "place", **placed(order)}',
          f'{{**placed(order), "op": "place", "at": {CLOCK}}}'),
    Wrong("E06", "reports.py", 'if status == "open"', 'if status == "opened"'),
    Wrong("E07", "reports.py", 'units=instrument.parse_qty(number("fill", row, "qty", positive=True))',
          'units=1 + instrument.parse_qty(number("fill", row, "qty", positive=True))'),
    Wrong("E08", "reports.py", "ReportKind.CANCEL_REJECT if", "ReportKind.CANCELLED if True or"),
    Wrong("E09", "reports.py", '"query": ReportKind.NOT_FOUND', '"query": ReportKind.UNCERTAIN'),
    Wrong("E10", "reports.py", "ReportKind.REJECT if code in DEFINITE", "ReportKind.REJECT if code in ()"),
    Wrong("E13", "reports.py", "kind=ReportKind.FILL, fill=fill, **common) for fill in fills]",
          "kind=ReportKind.FILL, fill=fill, **common) for fill in fills[1:]]"),
    Wrong("E15", "protocol.py", "instrument.format_price(order.price_ticks)",
          "str(float(instrument.format_price(order.price_ticks)))"),
    Wrong("E16", "protocol.py", '"client_id": order.client_id', '"client_id": order.client_id.lower()'),
    Wrong("E17", "executor.py", 'not in ("key", "signature")', 'not in ("signature",)'),
    Wrong("E18", "protocol.py", "except orjson.JSONDecodeError", "except KeyError"),
    Wrong("E20", "executor.py", "if not self.ready:\n            raise", "if self.ready is None:\n            raise"),
    Wrong("E21", "executor.py", "if self._waiting:", "if self.url is None:"),
    Wrong("E22", "executor.py", NO_LOSS, "return ()"),
    Wrong("E23", "reports.py", 'fee=Decimal(number("fill", row, "fee"))', "fee=Decimal(0)"),
    Wrong("E27", "executor.py", '{"op": "place", **placed(order)}',
          '{"op": "place", **placed(order), "nonce": __import__("uuid").uuid4().hex}'),
    Wrong("E29", "credentials.py", "if kind != _KIND:", "if kind is None:"),
    # simulated venue
    Wrong("V01", "simulated/venue.py", '"streams": STREAM', '"streams": STREAM + "/"'),
    Wrong("V02", "simulated/venue.py", SEEDED, "style(instrument.symbol), type(options)(), "),
    Wrong("V04", "simulated/venue.py", "self._beat_ns += _HEARTBEAT_NS", "self._beat_ns += 0"),
    Wrong("V06", "simulated/market_data.py", "book.units_at(side, price)))", "book.units_at(side, price) * 2))"),
    Wrong("V08", "simulated/venue.py", "_BASE, _QUOTE = 100, 1_000_000", "_BASE, _QUOTE = 9, 99_999"),
    Wrong("V10", "simulated/orders.py", "not hmac.compare_digest(expected, given.encode())", "expected is None"),
    Wrong("V13", "simulated/orders.py", "except RemoteProtocolError as error", "except KeyError as error"),
    Wrong("V14", "simulated/rest.py", "except RefusedError as refused", "except KeyError as refused"),
    Wrong("V15", "simulated/venue.py", "self._streams.discard(conn)", "self._streams.discard(-conn)"),
    Wrong("V16", "simulated/venue.py", "Faults(options.faults, options.seed)", 'Faults("", options.seed)'),
    Wrong("V17", "simulated/market_data.py", "self._faults.happens(Fault.GAP)", "self._faults is None"),
    # strategy
    Wrong("S01", "strategy.py", '"""Mean reversion on trades, long or flat."""', ""),
    Wrong("S02", "strategy.py", 'doc="span of the average, in trades"', 'doc="span"'),
    Wrong("S03", "strategy.py", "low=2, high=100_000,", "low=2,"),
    Wrong("S04", "strategy.py", "(self.span + 1.0)", "(self.span - 2.0)"),
    Wrong("S05", "strategy.py", TRADED, f"{TRADED}        orders.sell(price, orders.min_lots)\n"),
    Wrong("S06", "strategy.py", TRADED, f"{TRADED}        orders.sell(price, orders.min_lots)\n"),
    Wrong("S07", "strategy.py", TRADED, f"{TRADED}        {CLOCK}\n"),
    Wrong("S08", "strategy.py", "self.seen += 1", "type(self).seen += 1"),
    Wrong("S09", "strategy.py", TRADED, f"{TRADED}        assert price < 1 << 39\n"),
    Wrong("S10", "strategy.py", "orders.buy(book.best_ask, lots, ioc=True)", "orders.buy(book.best_ask, 0, ioc=True)"),
    Wrong("S11", "strategy.py", 'name = "plum"', 'name = "plum"\n    compiled = True\n    held: str = ""'),
    # risk check
    Wrong("R01", "check.py", 'name: ClassVar[str] = "moss"', 'name: ClassVar[str] = "mos"'),
    Wrong("R02", "check.py", '"BOOK_ONE_SIDED"', '"one sided"'),
    Wrong("R03", "check.py", "max_spread_bps: Widest", "the widest"),
    Wrong("R04", "check.py", 'stated(limits.max_spread_bps, "risk.moss.max_spread_bps")',
          "limits.max_spread_bps or Decimal(10**9)"),
    Wrong("R05", "check.py", "not (value.is_finite() and value >= 0)", "value is check_nothing"),
    Wrong("R06", "check.py", "MossConfig(max_spread_bps=Decimal(500))", "MossConfig()"),
    Wrong("R07", "check.py", "max_spread_bps=Decimal(500)", "max_spread_bps=Decimal(0)"),
    Wrong("R08", "check.py", "return kernel.BOOK_ONE_SIDED", "return 7"),
    Wrong("R09", "check.py", TOUCH, f"{TOUCH}\n        book.seq += 1"),
    Wrong("R10", "check.py", TOUCH, f"{TOUCH}\n        {CLOCK}"),
    Wrong("R11", "check.py", "return kernel.", "return 0 and kernel."),
    Wrong("R12", "check.py", "if not book.two_sided:", "if book.state < 0:"),
    Wrong("R13", "check.py", "2 * kernel.ONE * (ask", "3 * kernel.ONE * (ask"),
]  # fmt: skip


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[ScaffoldKind, Any]:
    """A new package of each kind that is needed."""
    out = tmp_path_factory.mktemp("packages")
    return {kind: new_package(kind, name, out=out, catalog=Catalog({}), year="2026") for kind, name in NAMES.items()}


def put(shelf: Any, made: Any, wrong: Wrong | None) -> None:
    """Puts a package on the path, with one line made wrong."""
    source = made.folder / "src" / made.module
    for path in source.rglob("*.py"):
        target: Path = shelf.folder / made.module / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text("utf-8")
        if wrong is not None and str(path.relative_to(source)) == wrong.file:
            assert wrong.line in text, f"{wrong.file} does not have the line {wrong.line!r} any more"
            text = text.replace(wrong.line, wrong.becomes)
        target.write_text(text, "utf-8")
    points = tomllib.loads((made.folder / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    shelf.add(made.distribution, points["bloor"], {}, manifest=points["bloor.manifest"], version="0.1.0")


def run(card: str) -> None:
    """Runs one card."""
    kind, name = KINDS[card[0]]
    cls: Any = type(f"Of{name}", (CARDS[name],), {"plugin": NAMES[kind]})
    (found,) = [each for each in cards_of(cls) if each.number == card]
    getattr(cls(), found.name)()


@pytest.fixture(autouse=True)
def first_example_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time is spent on smaller examples."""
    monkeypatch.setattr(examples, "SHRINK", False)


@pytest.mark.parametrize("wrong", WRONG, ids=[wrong.card for wrong in WRONG])
def test_a_wrong_line_is_caught(packages: Any, on_path: Any, wrong: Wrong) -> None:
    """The card of this number fails, and says what it holds."""
    put(on_path, packages[KINDS[wrong.card[0]][0]], wrong)
    with pytest.raises((Exception, pytest.fail.Exception, pytest.skip.Exception)) as caught:
        run(wrong.card)
    assert not isinstance(caught.value, pytest.skip.Exception), caught.value
    notes = [*getattr(caught.value, "__notes__", ()), str(caught.value)]
    assert any(wrong.card in note for note in notes)


@pytest.mark.parametrize("kind", [ScaffoldKind.STRATEGY, ScaffoldKind.RISK_CHECK])
def test_a_new_package_passes_every_card(packages: Any, shelf: Any, kind: ScaffoldKind) -> None:
    """A package of a third party, which imports nothing but bloor and what it declares: bloor plugins cards NAME.

    A new venue passes the cards by its own tests, in tests/e2e/test_new.py.
    """
    put(shelf, packages[kind], None)
    done = shelf.bloor("plugins", "cards", NAMES[kind], "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)["plugins"][0]
    wanted = {card.number for of, name in KINDS.values() if of is kind for card in cards_of(CARDS[name])}
    assert wanted == {card["number"] for card in report["cards"]}
    assert {card["outcome"] for card in report["cards"]} <= {"passed", "does not apply"}
