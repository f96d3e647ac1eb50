"""Keys are read from a keyring or a private file, and never shown."""

from __future__ import annotations

import json
import sys
from types import ModuleType

import pytest

from bloor.config.sections import KeySource
from bloor.errors import ConfigError, InputFileError
from bloor.venue.keys import load_keys, read_key_file

CANARY = "CANARYcanaryCANARY0123456789"
KEYS = {"hmac": {"api_key": "name", "secret": CANARY}}


def private(path, text, mode=0o600):
    path.write_text(text)
    path.chmod(mode)
    return path


def fake_keyring(monkeypatch, entries, fails=False):
    """A keyring that holds ``entries``: (service, name) -> text."""
    module, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})

    def get_password(service, name):
        if fails:
            raise errors.KeyringError(CANARY)
        return entries.get((service, name))

    module.get_password, module.errors = get_password, errors
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)


@pytest.fixture
def without_keyring(monkeypatch):
    """A machine on which keyring is not installed."""
    monkeypatch.setitem(sys.modules, "keyring", None)


@pytest.mark.parametrize(
    "text", [json.dumps(KEYS), f'[hmac]\napi_key = "name"\nsecret = "{CANARY}"\n'], ids=["json", "toml"]
)
def test_a_private_file_is_read(tmp_path, text):
    """JSON as a simulated venue prints it, or the same as TOML."""
    assert read_key_file(private(tmp_path / "keys", text)) == KEYS


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o610, 0o660])
def test_a_file_that_others_can_use_is_refused_with_the_command_to_run(tmp_path, mode):
    """Anything wider than 0600 is refused before a byte of it is read."""
    path = private(tmp_path / "my keys.json", json.dumps(KEYS), mode)
    with pytest.raises(InputFileError) as caught:
        read_key_file(path)
    assert f"got mode {mode:04o}; run: chmod 600 '{path}'" in str(caught.value)
    assert CANARY not in str(caught.value)


def test_a_private_key_may_stand_in_a_file_of_its_own(tmp_path):
    """``private_key_file`` stands for ``private_key_pem``, beside the first file and as private."""
    pem = f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n"
    other = private(tmp_path / "key.pem", pem)
    path = private(tmp_path / "keys", json.dumps({"ed25519": {"api_key": "name", "private_key_file": "key.pem"}}))
    assert read_key_file(path) == {"ed25519": {"api_key": "name", "private_key_pem": pem}}
    other.chmod(0o644)
    with pytest.raises(InputFileError, match="chmod 600"):
        read_key_file(path)


@pytest.mark.parametrize("text", ["", "nonsense", "[1, 2]", f'{{"hmac": {CANARY}}}', f'secret = "{CANARY}', "\0\xff"])
def test_what_is_no_key_file_is_refused_and_not_quoted(tmp_path, text):
    """Nothing of a file that cannot be read is repeated, since it may be a key all the same."""
    with pytest.raises(InputFileError, match="expected keys") as caught:
        read_key_file(private(tmp_path / "keys", text))
    assert CANARY not in str(caught.value)


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path):
    """The machine's word is passed on."""
    with pytest.raises(InputFileError, match="No such file"):
        read_key_file(tmp_path / "nothing")
    with pytest.raises(InputFileError, match="Is a directory"):
        read_key_file(tmp_path)


def test_without_keys_everything_that_helps_is_said(tmp_path, without_keyring):
    """Where was looked, how to have a keyring, and how to name a file."""
    with pytest.raises(ConfigError) as caught:
        load_keys("binance", "testnet", KeySource(), {"XDG_CONFIG_HOME": str(tmp_path)})
    for words in (
        "keys.binance.testnet: expected keys of binance for testnet",
        "pip install 'bloor-core[keyring]'",
        f"no file {tmp_path / 'bloor' / 'keys' / 'binance-testnet.json'}",
        "mode 0600",
        "BLOOR_KEYS__BINANCE__TESTNET__FILE",
    ):
        assert words in str(caught.value)


def test_the_default_file_is_found(tmp_path, without_keyring):
    """Without configuration the file of the venue and the environment is taken, and no other environment's."""
    folder = tmp_path / "bloor" / "keys"
    folder.mkdir(parents=True)
    private(folder / "binance-prod.json", json.dumps(KEYS))
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert load_keys("binance", "prod", KeySource(), environ) == KEYS
    with pytest.raises(ConfigError):
        load_keys("binance", "testnet", KeySource(), environ)


def test_the_keyring_comes_before_the_default_file(tmp_path, monkeypatch):
    """The entry of venue and environment, or the configured one."""
    fake_keyring(
        monkeypatch,
        {("bloor", "binance:prod"): json.dumps(KEYS), ("bloor", "mine"): json.dumps({"hmac": {"api_key": "2"}})},
    )
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert load_keys("binance", "prod", KeySource(), environ) == KEYS
    assert load_keys("binance", "prod", KeySource(keyring="mine"), environ) == {"hmac": {"api_key": "2"}}
    with pytest.raises(ConfigError, match="no entry 'other'"):
        load_keys("binance", "prod", KeySource(keyring="other"), environ)


def test_a_keyring_that_fails_is_told_without_its_words(tmp_path, monkeypatch):
    """What a backend says may hold anything."""
    fake_keyring(monkeypatch, {}, fails=True)
    with pytest.raises(ConfigError, match="KeyringError: it cannot be asked") as caught:
        load_keys("binance", "prod", KeySource(), {"XDG_CONFIG_HOME": str(tmp_path)})
    assert CANARY not in str(caught.value)


def test_one_place_is_configured_and_not_two(tmp_path):
    """Which of two would count, nobody could say."""
    with pytest.raises(ConfigError, match="one of file and keyring"):
        load_keys("binance", "prod", KeySource(file=tmp_path, keyring="x"), {})
