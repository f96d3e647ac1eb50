"""Configuration: what is wrong is said with path, expectation, value and source, whatever layer it stands in."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from pathlib import Path

import pytest
from attrs import field, frozen, validators

from bloor.config import AllowedDistribution, Duration, Mode, RawConfig, fingerprint, read_layers, section
from bloor.errors import ConfigError, InputFileError, UsageError


class Side(Enum):
    """A field of an enum."""

    BUY = "buy"
    SELL = "sell"


@frozen
class Inner:
    """A table inside a section."""

    depth: int = 5


@frozen
class Limits:
    """A section with every type there is."""

    max_value: Decimal | None = None
    most: int = field(default=3, validator=validators.ge(2))
    ratio: float = 0.5
    window: Duration = field(default=Duration(5))
    sides: tuple[Side, ...] = ()
    active: bool = True
    label: str = ""
    pattern: str = field(default="x", validator=validators.matches_re("x+"))
    inner: Inner = field(factory=Inner)
    levels: dict[str, int] = field(factory=dict)
    api_secret: str = ""


def limits(*sets: str, file: Path | None = None, **environ: str) -> Limits:
    return read_layers(file, environ, sets).section("risk.order-limits", Limits)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No bloor.toml of the folder that the tests run in."""
    monkeypatch.chdir(tmp_path)


def test_without_any_layer_everything_is_default():
    """No file is needed."""
    assert limits() == Limits()
    assert read_layers(None, {}).core().run.mode is Mode.SIM


def test_every_type_reads_from_a_file(tmp_path):
    """A file can say everything, decimals exactly as they are written."""
    file = tmp_path / "c.toml"
    file.write_text(
        """
        [risk.order-limits]
        max_value = 0.10000000000000000001
        most = 7
        ratio = 1
        window = "1h30m"
        sides = ["buy", "sell"]
        active = false
        label = "a"
        levels = { a = 1, b = 2 }
        [risk.order-limits.inner]
        depth = 9
        """
    )
    assert limits(file=file) == Limits(
        max_value=Decimal("0.10000000000000000001"),
        most=7,
        ratio=1.0,
        window=Duration(5_400 * 10**9),
        sides=(Side.BUY, Side.SELL),
        active=False,
        label="a",
        levels={"a": 1, "b": 2},
        inner=Inner(9),
    )


def test_every_type_reads_from_the_environment():
    """A text is TOML where it is TOML, and plain text otherwise; lists may be separated by commas."""
    names = {
        "MAX_VALUE": "0.10",
        "MOST": "7",
        "WINDOW": "5m",
        "SIDES": "buy, sell",
        "ACTIVE": "false",
        "LABEL": "true",
        "INNER__DEPTH": "9",
        "LEVELS": "{a = 1}",
    }
    read = limits(**{f"BLOOR_RISK__ORDER_LIMITS__{name}": text for name, text in names.items()})
    assert read == Limits(
        max_value=Decimal("0.10"),
        most=7,
        window=Duration(300 * 10**9),
        sides=(Side.BUY, Side.SELL),
        active=False,
        label="true",
        inner=Inner(9),
        levels={"a": 1},
    )


def test_variables_without_two_underscores_are_not_ours():
    """BLOOR_RECORDINGS is not configuration."""
    assert read_layers(None, {"BLOOR_RECORDINGS": "/x", "PATH": "/y", "XBLOOR_RUN__MODE": "z"}).tree == {}


def test_the_file_of_the_working_directory_is_read(tmp_path):
    """./bloor.toml is read unless another file is named."""
    Path("bloor.toml").write_text("[run]\nseed = 5\n")
    other = tmp_path / "other.toml"
    other.write_text("[run]\nseed = 6\n")
    assert read_layers(None, {}).core().run.seed == 5
    assert read_layers(other, {}).core().run.seed == 6


# ---- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "text", "expected", "got"),
    [
        ("most", "1.0", "an integer", "'1.0'"),
        ("most", "true", "an integer", "'true'"),
        ("most", "1", "a value >= 2", "'1'"),
        ("max_value", "1e400", "a decimal number", "'1e400'"),
        ("max_value", "nan", "a decimal number", "'nan'"),
        ("max_value", "'٣'", "a decimal number", "٣"),
        ("max_value", "' 1'", "a decimal number", "' 1'"),
        ("max_value", "ten", "a decimal number", "'ten'"),
        ("ratio", "inf", "a finite number", "'inf'"),
        ("ratio", "1e999", "a finite number", "'1e999'"),
        ("window", "30", "a duration with a unit such as 30s or 5m", "'30'"),
        ("sides", "up", "a list, each element one of 'buy', 'sell'", "'up'"),
        ("active", "1", "true or false", "'1'"),
        ("pattern", "y", "a value that matches 'x+'", "'y'"),
        ("inner", "3", "a table", "'3'"),
        ("maxvalue", "3", "one of max_value, most", "unknown key 'maxvalue'; did you mean 'max_value'?"),
        ("inner.dept", "3", "one of depth", "unknown key 'dept'; did you mean 'depth'?"),
    ],
)
def test_each_source_names_path_expectation_and_value(tmp_path, key, text, expected, got):
    """The same slip in --set, in the environment and in a file is described alike, with where it stands."""
    path = f"risk.order-limits.{key}"
    variable = f"BLOOR_{path.upper().replace('-', '_').replace('.', '__')}"
    for source, read in {
        "--set": lambda: limits(f"{path}={text}"),
        f"environment variable {variable}": lambda: limits(**{variable: text}),
    }.items():
        with pytest.raises(ConfigError) as caught:
            read()
        error = caught.value
        assert (error.path, error.source) == (path, source)
        assert expected in error.expected
        assert got in f"{error.got}{error.hint}"


def test_a_file_is_named_with_its_line(tmp_path):
    """Also a key after values that span lines, a dotted key and a quoted one are found."""
    file = tmp_path / "c.toml"
    file.write_text('# top\n[run]\nsymbols = [\n  "A-B",  # x = 1\n]\nenv = """\na = 1\n"""\n\nrisk = 1\n')
    with pytest.raises(ConfigError) as caught:
        read_layers(file, {}).core()
    assert caught.value.source == f"{file}:10"
    file.write_text('[run]\nseed = 1\n\n[risk]\n"order-limits".most = "x"\n')
    with pytest.raises(ConfigError) as caught:
        limits(file=file)
    assert caught.value.source == f"{file}:5"
    file.write_text("[risk.order-limits]\ninner = { depth = 'x' }\n")
    with pytest.raises(ConfigError) as caught:
        limits(file=file)
    assert (caught.value.path, caught.value.source) == ("risk.order-limits.inner.depth", f"{file}:2")


@pytest.mark.parametrize(
    ("text", "says"),
    [("[run\n", ":1: not valid TOML"), ("[run]\nmode = 'a'\nmode = 'b'\n", ":3: not valid TOML"), ("\xff", "UTF-8")],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path, text, says):
    """A file that is not TOML is an input error with its line."""
    file = tmp_path / "c.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputFileError, match=says):
        read_layers(file, {})


def test_a_missing_file_is_refused(tmp_path):
    """A file that the user names must be there."""
    with pytest.raises(InputFileError, match=r"gone\.toml: cannot be read: No such file"):
        read_layers(tmp_path / "gone.toml", {})


@pytest.mark.parametrize("text", ["run.mode", "=3", "run..mode=3", ".mode=3"])
def test_a_malformed_set_is_refused(text):
    """--set needs a path and a value."""
    with pytest.raises(UsageError, match=r"--set: expected path\.to\.key=value"):
        read_layers(None, {}, [text])


def test_a_table_in_the_place_of_a_value_is_refused():
    """A path that goes on below a value is named where it should have ended."""
    with pytest.raises(ConfigError, match=r"risk\.order-limits\.label \(from --set\): expected a string, got a table"):
        limits("risk.order-limits.label.x=3")


def test_an_unknown_section_gets_the_nearest():
    """Sections are a closed list, in every layer."""
    with pytest.raises(ConfigError, match=r"configuration: rum \(from --set\): .*did you mean 'run'\?"):
        read_layers(None, {}, ["rum.mode=sim"])
    with pytest.raises(ConfigError, match=r"environment variable BLOOR_STRATEGI__X__Y.*did you mean 'strategy'\?"):
        read_layers(None, {"BLOOR_STRATEGI__X__Y": "1"})
    with pytest.raises(ConfigError, match=r"BLOOR_RUN__\).*: expected a name such as BLOOR_RUN__MODE"):
        read_layers(None, {"BLOOR_RUN__": "1"})


@pytest.mark.parametrize("text", ["run=3", "risk=3", "risk.order-limits=3"])
def test_a_value_in_the_place_of_a_section_is_refused(text):
    """A section is a table."""
    with pytest.raises(ConfigError, match=r"expected a table such as \[(run|risk(\.order-limits)?)\], got '3'"):
        read_layers(None, {}, [text])


def test_sections_of_plugins_that_are_not_installed_are_refused():
    """A typo in the name of a plug-in would configure nothing."""
    installed = {"strategy": ["momentum"], "risk": ["order-limits"], "venue": []}
    raw = read_layers(None, {"BLOOR_RISK__ORDER_LIMITS__MOST": "3"}, ["strategy.momentum.x=1"])
    raw.check_plugin_sections(installed)
    raw = read_layers(None, {"BLOOR_RISK__ORDER_LIMIT__MOST": "3"})
    with pytest.raises(ConfigError) as caught:
        raw.check_plugin_sections(installed)
    assert caught.value.path == "risk.order-limit"
    assert caught.value.source == "environment variable BLOOR_RISK__ORDER_LIMIT__MOST"
    assert "did you mean 'order-limits'?" in str(caught.value)


def test_a_plugin_with_an_underscore_has_its_section():
    """Dash and underscore are one character in names of plug-ins, not in keys."""
    raw = read_layers(None, {}, ["strategy.my_idea.label=a"])
    assert raw.section(("strategy", "my_idea"), Limits).label == "a"
    raw.check_plugin_sections({"strategy": ["my_idea"]})
    with pytest.raises(ConfigError, match="max-value"):
        limits("risk.order-limits.max-value=1")


def test_one_plugin_under_two_spellings_is_refused(tmp_path):
    """Two sections of one plug-in in one file would shadow each other."""
    file = tmp_path / "c.toml"
    file.write_text("[risk.order-limits]\nmost = 3\n[risk.order_limits]\nmost = 4\n")
    with pytest.raises(ConfigError, match="second spelling of order-limits"):
        read_layers(file, {})


def test_secrets_are_not_shown():
    """Neither a message nor the provenance repeats what a key with a telling name holds."""
    with pytest.raises(ConfigError) as caught:
        limits("risk.order-limits.api_secret.x=hunter2")
    assert "hunter2" not in str(caught.value)
    raw = read_layers(None, {}, ["risk.order-limits.api_secret=hunter2"])
    assert raw.provenance()["risk.order-limits.api_secret"] == {"value": "********", "source": "--set"}
    assert "hunter2" not in fingerprint({"x": section(raw, "risk.order-limits", Limits)})


def test_a_field_without_default_must_be_given():
    """The message says that there is no default."""

    @frozen
    class Needs:
        url: str

    with pytest.raises(ConfigError, match=r"venue\.shop\.url: expected a string, got nothing; it has no default"):
        RawConfig({}).section("venue.shop", Needs)


# ---- record ---------------------------------------------------------------------------------------------------------


def test_the_hash_depends_on_values_and_not_on_their_source(tmp_path):
    """The same configuration has the same hash, whichever layer says it."""
    file = tmp_path / "c.toml"
    file.write_text("[run]\nseed = 7\n")
    by_file, by_set = read_layers(file, {}), read_layers(None, {}, ["run.seed=7"])
    assert by_file.sha256 == by_set.sha256 == read_layers(None, {"BLOOR_RUN__SEED": "7"}).sha256
    assert by_file.sha256 != read_layers(None, {}, ["run.seed=8"]).sha256
    assert by_file.provenance() == {"run.seed": {"value": "7", "source": f"{file}:2"}}
    assert fingerprint({"run": by_file.core().run}) == fingerprint({"run": by_set.core().run})
    assert fingerprint({"run": by_file.core().run}) != fingerprint({"run": RawConfig({}).core().run})


@pytest.mark.parametrize(
    ("entry", "read"),
    [
        ('["a"]', AllowedDistribution(distribution="a")),
        ('["a-b==1.0"]', AllowedDistribution(distribution="a-b", version="1.0")),
        (
            f'[{{distribution = "a", version = "1", record_sha256 = "{"0" * 64}"}}]',
            AllowedDistribution(distribution="a", version="1", record_sha256="0" * 64),
        ),
    ],
)
def test_the_allow_list_has_three_forms(entry, read):
    """A name, a name with a version, a table."""
    assert read_layers(None, {}, [f"plugins.allow={entry}"]).core().plugins.allow == (read,)


@pytest.mark.parametrize("entry", ["[3]", '["a>=1"]', '[{version = "1"}]', '[{distribution = "a", hash = "x"}]'])
def test_a_malformed_allow_list_is_refused(entry):
    """Anything else would look like protection and be none."""
    with pytest.raises(ConfigError, match=r"plugins\.allow"):
        read_layers(None, {}, [f"plugins.allow={entry}"]).core()
