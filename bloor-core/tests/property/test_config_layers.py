"""Precedence of the layers: defaults < file < environment < --set < options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from bloor.config import read_layers

pytestmark = pytest.mark.examples(daily=100, soak=5_000)

KEYS = ("alpha", "beta_2", "gamma")
PLUGINS = ("momentum", "order-limits")
LAYERS = ("file", "environment", "--set", "--option")

paths = st.tuples(st.sampled_from(PLUGINS), st.sampled_from(KEYS))
layer = st.dictionaries(paths, st.integers(-(10**12), 10**12), max_size=6)


@frozen
class Section:
    """What the layers fill."""

    alpha: int = field(default=-1)
    beta_2: int = field(default=-2)
    gamma: int = field(default=-3)


@given(st.fixed_dictionaries(dict.fromkeys(LAYERS, layer)))
def test_the_highest_layer_that_speaks_wins(tmp_path_factory, layers):
    """Each value is that of the last layer that names its key, and its provenance names this layer."""
    file = tmp_path_factory.getbasetemp() / "layers.toml"
    file.write_text("".join(f"[risk.{p}]\n{k} = {v}\n" for (p, k), v in sorted_sections(layers["file"])))
    environ = {
        f"BLOOR_RISK__{p.upper().replace('-', '_')}__{k.upper()}": str(v) for (p, k), v in layers["environment"].items()
    }
    sets = [f"risk.{p}.{k}={v}" for (p, k), v in layers["--set"].items()]
    options = {f"risk.{p}.{k}": ("--option", v) for (p, k), v in layers["--option"].items()}
    raw = read_layers(file, environ, sets, options)
    provenance = raw.provenance()
    for plugin in PLUGINS:
        section = raw.section(("risk", plugin), Section)
        for key in KEYS:
            speaking = [name for name in LAYERS if (plugin, key) in layers[name]]
            expected = layers[speaking[-1]][plugin, key] if speaking else getattr(Section(), key)
            assert getattr(section, key) == expected
            source = provenance.get(f"risk.{plugin}.{key}", {}).get("source", "")
            assert source.startswith({"file": str(file)}.get(speaking[-1], speaking[-1]) if speaking else "")


def sorted_sections(values):
    """Items of a layer as one TOML header and key each; repeated headers are not TOML, so keys are dotted instead."""
    seen: dict[str, list[str]] = {}
    for (plugin, key), value in values.items():
        seen.setdefault(plugin, []).append(f"{key} = {value}")
    for plugin, lines in seen.items():
        first, *rest = lines
        key, _, value = first.partition(" = ")
        yield (plugin, key), "\n".join([value, *rest])


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=40))
def test_any_text_is_a_string_or_toml(text):
    """A text from --set never fails to be read, and a string field gets it back unless TOML quotes it."""

    @frozen
    class Label:
        label: str = ""

    raw = read_layers(Path("/dev/null"), {}, [f"strategy.momentum.label={json.dumps(text)}"])
    assert isinstance(raw.tree["strategy"]["momentum"]["label"].value, str)
    raw = read_layers(Path("/dev/null"), {}, [f"strategy.momentum.label=x{text}"])
    assert raw.section("strategy.momentum", Label).label == f"x{text}".strip()
