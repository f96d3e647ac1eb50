"""The HTML page of a run."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from bloor.observe.page import Page, Sheet, write_page
from bloor.observe.page.words import amount, duration, number
from bloor.observe.statistics import statistics
from bloor.testing.ledgers import ledger_of, made_ledger, quoted

CANARY = "<script>alert(1)</script><img src=x onerror=alert(1)>&\"'</style>"
VOID = {"meta", "link", "br", "img"}


class Outline(HTMLParser):
    """Tags in their order, checked to close as they opened, and what is in scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)


def outlined(text):
    outline = Outline()
    outline.feed(text)
    outline.close()
    assert not outline.open
    return outline


def written(tmp_path, ledger, **other):
    path = tmp_path / "page.html"
    write_page(path, Page(title=other.pop("title", "made-up"), ledger=ledger, statistics=statistics(ledger), **other))
    return path.read_text(encoding="utf-8")


def data_of(text):
    return json.loads(outlined(text).scripts[0])


def test_a_page_is_one_file_that_asks_for_nothing(tmp_path):
    """No address, no foreign file: everything is in it, and its policy lets nothing else in."""
    text = written(tmp_path, made_ledger(fills=60, seconds=600))
    outline = outlined(text)
    for tag, attributes in outline.tags:
        assert not {"src", "srcset", "action", "style"} & set(attributes) and not any(
            a.startswith("on") for a in attributes
        )
        assert tag not in ("iframe", "object", "embed") and attributes.get("href", "data:,") == "data:,"
    assert re.findall(r"https?://[^\s\"']+", text) == ["http://www.w3.org/2000/svg"]
    policy = next(a["content"] for tag, a in outline.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert list(tmp_path.iterdir()) == [tmp_path / "page.html"]


def test_nothing_from_outside_becomes_a_tag(tmp_path):
    """A script in a symbol, a name, a parameter, a warning or a cell is shown as the text it is."""
    market = quoted("BTC-USDT", venue=CANARY, base=CANARY, quote=CANARY)
    text = written(
        tmp_path,
        made_ledger([market, quoted("A-B")], strategies=(CANARY,), fills=30, seconds=300),
        title=CANARY,
        kind=CANARY,
        warnings=[CANARY],
        notices=[CANARY],
        assumptions={CANARY: CANARY},
        parameters={CANARY: {CANARY: CANARY}},
        quality={CANARY: CANARY},
        data={CANARY: CANARY},
        sensitivities=Sheet(columns=(CANARY, CANARY), rows=[(CANARY, CANARY)], note=CANARY),
        versions={CANARY: CANARY},
        hash=CANARY,
        command=CANARY,
    )
    outline = outlined(text)
    assert [tag for tag, _ in outline.tags].count("script") == 2
    assert "<img" not in text and "<script>alert" not in text
    assert text.count("</style>") == 1
    assert data_of(text)["desks"][0]["base"] == CANARY


@pytest.mark.parametrize(("fills", "desks"), [(20_000, 1), (4_000, 6)])
def test_a_page_stays_small_whatever_the_number_of_fills(tmp_path, fills, desks):
    """Twenty thousand fills or six strategies fit into 150 KB."""
    ledger = made_ledger(strategies=[f"strategy {n}" for n in range(desks)], fills=fills, seconds=20_000)
    assert len(written(tmp_path, ledger).encode()) < 150_000


def test_merged_markers_keep_every_fill(tmp_path):
    """Where fills are too many to draw, markers say how many they stand for, and none is lost."""
    ledger = made_ledger(fills=5_000, seconds=3600)
    fills = data_of(written(tmp_path, ledger))["desks"][0]["fills"]
    assert sum(fills["count"]) == 5_000 and len(fills["time"]) <= 1_600 and fills["merged_s"] == 9
    few = data_of(written(tmp_path, made_ledger(fills=100, seconds=3600)))["desks"][0]["fills"]
    assert len(few["time"]) == 100 and few["count"] == [] and few["merged_s"] == 0


def test_gaps_are_told_at_the_top(tmp_path):
    """A gap in the data is the first thing said, before any number, and is shaded in the plots."""
    text = written(tmp_path, made_ledger(fills=100, seconds=3600, gap=(0.5, 0.6)))
    assert "The data has 1 gap, 6 min in all." in text
    assert text.index("1 gap") < text.index("Profit, net")
    assert len(data_of(text)["gaps"]) == 1


def test_a_run_without_fills_has_a_page(tmp_path):
    """It says so, and draws what there is."""
    empty = made_ledger(fills=100, seconds=3600)
    text = written(tmp_path, ledger_of(empty.desks, [], begin_ns=empty.begin_ns, end_ns=empty.end_ns))
    assert "There was no fill." in text
    assert data_of(text)["trips"] == {"edges": [], "share": []}


def test_a_page_tells_what_the_result_rests_on(tmp_path):
    """Assumptions, parameters, sensitivities, versions, seed, hash and the command are on it."""
    text = written(
        tmp_path,
        made_ledger(fills=50, seconds=600),
        assumptions={"Order latency": "5 ms"},
        parameters={"momentum": {"window": 20, "fast": True}},
        sensitivities=Sheet(columns=("Assumption", "Net"), rows=[("Latency 10 ms", -12.5)], note="Same seed."),
        versions={"bloor-core": "9.9"},
        hash="abcd",
        seed=7,
        command="bloor backtest -p momentum",
    )
    for told in (
        "Order latency",
        "5 ms",
        "window",
        "20",
        "yes",
        "Latency 10 ms",
        "\u221212.50",
        "9.9",
        "abcd",
        "momentum",
    ):
        assert told in text


def test_profit_over_time_adds_up(tmp_path):
    """The bars by stretches of the clock are together the profit of the run."""
    ledger = made_ledger(fills=300, seconds=7200)
    profit = data_of(written(tmp_path, ledger))["profit"]
    assert profit["every"] == "5 minutes"
    assert sum(profit["value"]) == pytest.approx(float(statistics(ledger).profit.net), rel=1e-3)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.00"), (1234.5, "1,234.50"), (-0.01234, "\u22120.0123"), (2_500_000, "2,500,000"), (None, "\u2013")],
)
def test_money_is_written_for_people(value, text):
    """Thousands apart, a true minus, and enough decimals to say something."""
    assert amount(value) == text


def test_lengths_and_signs():
    """Two units of time at most; a zero has no sign."""
    assert [duration(s) for s in (0.25, 61, 3600, 90_061)] == ["0.25 s", "1 min 1 s", "1 h", "1 d 1 h"]
    assert (number(-0.001, sign=True), number(0.5, sign=True)) == ("0.00", "+0.50")
