"""The pages written by hand say what is so."""

from __future__ import annotations

import json
import re
import tomllib

import attrs
import pytest

from bloor.config import LogConfig, PluginsConfig, RunConfig, read_layers
from bloor.plugins import PluginHost


def blocks(page, language: str) -> list[str]:
    """The code of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def configuration(root):
    """The page on configuration."""
    return root / "docs" / "reference" / "configuration.md"


@pytest.mark.parametrize(("section", "cls"), [("run", RunConfig), ("plugins", PluginsConfig), ("log", LogConfig)])
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
    (module,) = blocks(page, "python")
    (project,) = (tomllib.loads(text)["project"]["entry-points"] for text in blocks(page, "toml"))
    package = shelf.folder / "my_package"
    package.mkdir()
    (package / "__init__.py").touch()
    shelf.add("my-package", project["bloor"], {"my_package/dip.py": module}, manifest=project["bloor.manifest"])
    done = shelf.bloor("plugins", "info", "dip", "--json")
    document = json.loads(done.stdout)
    assert (document["kind"], document["section"]) == ("strategy", "strategy.dip")
    assert [setting["key"] for setting in document["settings"]] == ["level"]
    rows = json.loads(shelf.bloor("plugins", "doctor", "--json").stdout)["plugins"]
    assert [row["state"] for row in rows if row["name"] == "dip"] == ["ok"]
