"""The pages written by hand say what is so."""

from __future__ import annotations

import ast
import json
import re
import tomllib

import attrs
import pytest

from bloor.config import LogConfig, PluginsConfig, RunConfig, read_layers
from bloor.config.sections import KeySource, PaperConfig, SimConfig
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.plugins import PluginHost
from bloor.risk.check import Exposure, OrderIntent
from bloor.risk.gate import Denial, Gate
from bloor.risk.limits import build_check, resolve_limits


def blocks(page, language: str) -> list[str]:
    """The code of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def configuration(root):
    """The page on configuration."""
    return root / "docs" / "reference" / "configuration.md"


@pytest.mark.parametrize(
    ("section", "cls"),
    [
        ("run", RunConfig),
        ("sim", SimConfig),
        ("paper", PaperConfig),
        ("keys.VENUE.ENV", KeySource),
        ("plugins", PluginsConfig),
        ("log", LogConfig),
    ],
)
def test_every_key_is_on_the_page(configuration, section, cls):
    """A key that is added is documented, and one that is removed is not."""
    text = configuration.read_text(encoding="utf-8")
    written = re.findall(rf"^\| `{section}\.(\w+)` \|", text, re.MULTILINE)
    assert written == [field.name for field in attrs.fields(cls)]


def test_the_files_on_the_page_are_right(configuration, tmp_path):
    """Each example is read, and its sections are those of installed plug-ins."""
    host = PluginHost()
    for number, text in enumerate(blocks(configuration, "toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(text)
        raw = read_layers(file, {})
        raw.core()
        raw.check_plugin_sections(host.section_names())
        for name, cls in {
            "strategy.momentum": None,
            "risk.order-limits": host.risk_checks()["order-limits"].limits,
            "venue.binance": host.venue_config("binance"),
        }.items():
            if cls is None:
                from bloor.strategy.params import config_class

                cls = config_class(host.strategy("momentum"))
            raw.section(name, cls)


def test_the_plugin_of_the_how_to_works(root, shelf):
    """What the page tells an author to write is found, loads and is configured as it says."""
    page = root / "docs" / "how-to" / "write-a-plugin.md"
    module, check, *_ = blocks(page, "python")
    (project,) = (tomllib.loads(text)["project"]["entry-points"] for text in blocks(page, "toml"))
    package = shelf.folder / "my_package"
    package.mkdir()
    (package / "__init__.py").touch()
    shelf.add("my-package", project["bloor"], {"my_package/dip.py": module + check}, manifest=project["bloor.manifest"])
    done = shelf.bloor("plugins", "info", "dip", "--json")
    document = json.loads(done.stdout)
    assert (document["kind"], document["section"]) == ("strategy", "strategy.dip")
    assert [setting["key"] for setting in document["settings"]] == ["level"]
    document = json.loads(shelf.bloor("plugins", "doctor", "dip", "--json").stdout)
    assert [row["state"] for row in document["plugins"]] == ["ok"]
    assert [check["text"] for check in document["checks"] if check["plugin"] == "dip"] == ["it buys below 100 ticks"]


def test_the_risk_check_of_the_how_to_works(root, on_path):
    """It is found, and both of its forms answer what the page says."""
    page = root / "docs" / "how-to" / "write-a-plugin.md"
    _, _, check, kernel = blocks(page, "python")
    package = on_path.folder / "my_package"
    package.mkdir()
    (package / "__init__.py").touch()
    files = {"my_package/quiet_start.py": check, "my_package/quiet_start_kernel.py": kernel}
    points, manifest = {"quiet-start": "my_package.quiet_start"}, {"quiet-start": "risk_check:api1"}
    on_path.add("my-package", points, files, manifest=manifest)
    cls = PluginHost().risk_checks()["quiet-start"]
    rules = resolve_limits(cls, {"min_seq": 10}, "live")
    instrument = Instrument(
        venue="v", symbol="X-Y", venue_symbol="XY", base="X", quote="Y", price_decimals=0, qty_decimals=0
    )
    gate = Gate([build_check(cls, rules, (instrument,))], [instrument], mandatory=frozenset())
    form = gate.compiled()
    order, book, exposure = OrderIntent(), BookView(), Exposure()
    order.type = order.tif = order.lots = order.units = order.price = 1
    for order.side, book.seq, code in ((1, 9, None), (-1, 9, "BOOK_TOO_YOUNG"), (-1, 10, None)):
        expected = code and Denial(code, "quiet-start")
        assert gate.account(form.ask(order.address, book.address, exposure.address, 0)) == expected
        assert gate.decide_in_python(order, book, exposure, 0) == expected


def test_what_new_packages_import_is_promised(root):
    """A package that `bloor new` makes uses nothing that the page on the promise does not name."""
    text = (root / "docs" / "explanation" / "plugin-promise.md").read_text(encoding="utf-8")
    promised = set(re.findall(r"`(bloor\.[a-z_.]+)`", text.partition("## When the number rises")[0]))
    templates = root / "bloor-core" / "src" / "bloor" / "scaffold" / "templates"
    used = {
        node.module
        for path in templates.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("bloor.")
    }
    assert used
    rest = {name for name in used if not any(f"{name}.".startswith(f"{module}.") for module in promised)}
    assert not rest
