"""What is missing for a live run is said at once, and an arm counts for one venue and one environment."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from attrs import frozen

from bloor.config import read_layers
from bloor.errors import ConfigError, UsageError
from bloor.host.arming import check_key_sections, live_keys
from bloor.host.places import endpoints_of
from bloor.venue.session import Endpoints

KEYS = {"hmac": {"api_key": "name", "secret": "secret"}}


@frozen
class Limits:
    """Limits of a check."""

    most: int | None = None
    least: int | None = 1


CHECK = SimpleNamespace(name="some-check")
EXECUTOR = SimpleNamespace(venue="binance", credentials=lambda keys: keys, account=object())


@pytest.fixture
def raw(tmp_path):
    """A configuration that names a good key file for ``prod``."""
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(KEYS))
    file.chmod(0o600)
    return read_layers(None, {"BLOOR_KEYS__BINANCE__PROD__FILE": str(file)})


def ready(raw, tmp_path, armed=("binance:prod",), limits=Limits(most=1), executor=EXECUTOR, env="prod"):
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    return live_keys(raw, armed, [executor], env, [(CHECK, limits)], environ)


def test_with_keys_limits_and_the_arm_a_live_run_may_start(raw, tmp_path):
    """The keys of every venue come back."""
    assert ready(raw, tmp_path) == {"binance": KEYS}


def test_everything_that_is_missing_is_said_at_once(tmp_path):
    """Keys, limits, the account interface and the arm, each on a line of its own."""
    executor = SimpleNamespace(venue="binance", credentials=lambda keys: keys, account=None)
    with pytest.raises(UsageError) as caught:
        ready(read_layers(None, {}), tmp_path, (), Limits(), executor)
    lines = str(caught.value).splitlines()
    assert lines[0] == "--mode live does not start; it needs, and has not:"
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["keys", "account", "limits", "arm"]
    assert "[risk.some-check] must state most" in lines[3]
    assert lines[4].endswith("to trade there with real orders say --arm binance:prod")


@pytest.mark.parametrize("armed", [("binance:testnet",), ("kraken:prod",), ("binance",), ("BINANCE:PROD",)])
def test_an_arm_for_another_venue_or_environment_does_not_count(raw, tmp_path, armed):
    """Both what is armed in vain and what is not armed are told."""
    with pytest.raises(UsageError) as caught:
        ready(raw, tmp_path, armed)
    assert f"{armed[0]} is armed and is not part of this run, which trades on binance:prod" in str(caught.value)
    assert f"binance:prod is not armed (armed: {armed[0]})" in str(caught.value)


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (["keys.binance.prod.api_key=CANARY"], "unknown key 'api_key'"),
        (["keys.binance.prod=CANARY"], "keys.binance.prod (from --set): expected a table"),
        (["keys.kraken.prod.secret=CANARY"], "keys.kraken.prod.secret"),
    ],
)
def test_a_key_in_the_configuration_is_refused_and_not_shown(sets, said):
    """Also for venues that the run does not use."""
    with pytest.raises(ConfigError) as caught:
        check_key_sections(read_layers(None, {}, sets))
    assert said in str(caught.value)
    assert "CANARY" not in str(caught.value)


def test_endpoints_are_those_of_the_environment_unless_overridden():
    """Each URL for itself; an unknown environment is refused with the nearest."""
    feed = SimpleNamespace(
        venue="v", endpoints={"prod": Endpoints("r", "s", "w"), "testnet": Endpoints("tr", "ts", "tw")}
    )
    config = SimpleNamespace(rest_url="http://127.0.0.1:1", streams_url="")
    assert endpoints_of(feed, None, "testnet") == Endpoints("tr", "ts", "tw")
    assert endpoints_of(feed, config, "prod") == Endpoints("http://127.0.0.1:1", "s", "w")
    with pytest.raises(UsageError, match="expected one of prod, testnet for v, got 'tesnet'; did you mean 'testnet'"):
        endpoints_of(feed, None, "tesnet")
