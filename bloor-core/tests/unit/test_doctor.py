"""The doctor: each plug-in in a process of its own, and what they all stand on."""

from __future__ import annotations

import json

import pytest

from bloor.hookspecs import Diagnosis, Finding
from bloor.host.doctor import machine
from bloor.host.doctor.round import rows
from bloor.plugins import PluginHost

HOOK = "from bloor.hookspecs import Diagnosis, Finding, hookimpl\n"
STRATEGY = HOOK + (
    "from bloor.strategy.api import Strategy\n"
    "from bloor.strategy.params import param\n"
    "class Mine(Strategy):\n    name = '{0}'\n    level: int = param(3, low=1, high=9, doc='a level')\n"
    "@hookimpl\ndef bloor_strategy(): return Mine\n"
)
SAYS = "@hookimpl\ndef bloor_doctor(config, online):\n    return {0}\n"


def strategy(name, extra=""):
    return STRATEGY.format(name) + extra


def examined(shelf, *names, **environ):
    """The document and the exit code of the doctor."""
    done = shelf.bloor("plugins", "doctor", *names, "--json", **environ)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout), done.returncode


def test_a_plugin_that_ends_its_process_is_named(shelf):
    """Whatever an import does, the others are examined, and printing does not spoil the document."""
    files = {
        "good_mod.py": "print('hello')\n" + strategy("good"),
        "exit_mod.py": "import os\nprint('bye')\nos._exit(3)\n",
        "kill_mod.py": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
        "half_mod.py": HOOK,
    }
    points = {name: f"{name}_mod" for name in ("good", "exit", "kill", "half")}
    shelf.add("shop", points, files, manifest=dict.fromkeys(points, "strategy:api1"))
    document, code = examined(shelf, *points)
    reasons = {row["name"]: row["reason"] for row in document["plugins"]}
    assert (code, document["ok"]) == (1, False)
    assert reasons["good"] == ""
    assert "ended the process that imported it, with code 3: bye" in reasons["exit"]
    assert "by SIGKILL" in reasons["kill"]
    assert reasons["half"] == "a strategy must implement bloor_strategy"


def test_a_plugin_that_hangs_is_ended(on_path):
    """A minute in earnest; here a second."""
    on_path.add("shop", {"slow": "slow_mod"}, {"slow_mod.py": "import time\ntime.sleep(60)\n"})
    (row,) = rows(PluginHost(), ["slow"], online=False, longest_s=1.5)
    assert (row["state"], row["reason"]) == ("broken", "was not done after 2 s and was ended")


def test_a_plugin_adds_checks_of_its_own(shelf):
    """They are shown under its name, get its section, and a FAIL among them makes the exit code 1."""
    says = SAYS.format(
        "[Diagnosis(subject='level', finding=Finding.PASS, text=f'{config.level} {online}'),"
        " Diagnosis(subject='disk', finding=Finding.FAIL, text='full', advice='make room')]"
    )
    shelf.add("shop", {"mine": "mine_mod"}, {"mine_mod.py": strategy("mine", says)}, manifest={"mine": "strategy:api1"})
    document, code = examined(shelf, "mine", BLOOR_STRATEGY__MINE__LEVEL="7")
    # a machine that is slow enough has a word on the import as well
    own = [check for check in document["checks"] if check["plugin"] == "mine" and check["check"] != "import"]
    assert own == [
        {"plugin": "mine", "check": "level", "finding": "pass", "text": "7 False", "advice": ""},
        {"plugin": "mine", "check": "disk", "finding": "fail", "text": "full", "advice": "make room"},
    ]
    assert (code, document["plugins"][0]["state"]) == (1, "ok")
    assert "mine, disk: make room" in shelf.bloor("plugins", "doctor", "mine").stdout


@pytest.mark.parametrize(
    ("returns", "reason"),
    [
        ("['fine']", "bloor_doctor() returned the wrong thing: expected a list of Diagnosis, got 'fine' (str)"),
        ("None", "bloor_doctor() returned the wrong thing: expected a list of Diagnosis, got None (NoneType)"),
        ("1 / 0", "bloor_doctor() failed: ZeroDivisionError"),
    ],
)
def test_a_check_that_fails_breaks_its_plugin_only(on_path, returns, reason):
    """The plug-in is named as every other that returns the wrong thing."""
    from bloor.errors import PluginError

    text = strategy("mine", SAYS.format(returns))
    module = f"mod_{abs(hash(returns))}"
    on_path.add("shop", {"mine": module}, {f"{module}.py": text}, manifest={"mine": "strategy:api1"})
    with pytest.raises(PluginError) as caught:
        PluginHost().diagnoses("mine", None, online=False)
    assert caught.value.cause.startswith(reason)


def test_a_plugin_without_checks_says_nothing(on_path):
    """The hook is optional."""
    on_path.add("shop", {"mine": "mute_mod"}, {"mute_mod.py": strategy("mine")}, manifest={"mine": "strategy:api1"})
    assert PluginHost().diagnoses("mine", None, online=False) == []


def test_a_section_that_is_wrong_is_a_finding(shelf):
    """A parameter out of its range and a section of a plug-in that is not installed are told, not raised."""
    shelf.add("shop", {"mine": "mine_mod"}, {"mine_mod.py": strategy("mine")}, manifest={"mine": "strategy:api1"})
    (shelf.folder / "bloor.toml").write_text("[strategy.mine]\nlevel = 10\n[strategy.other]\nlevel = 1\n")
    document, code = examined(shelf, "mine")
    failed = {check["plugin"]: check["text"] for check in document["checks"] if check["finding"] == "fail"}
    assert code == 1 and "strategy.mine.level" in failed["mine"] and "strategy.other" in failed[""]


def test_keys_that_are_configured_must_be_readable(shelf):
    """Without any, nothing is wrong: sim and paper need none. No key is ever printed."""
    binance = ("binance",)
    document, code = examined(shelf, *binance)
    (keys,) = [c for c in document["checks"] if c["plugin"] == "binance" and c["check"] == "keys"]
    assert (keys["finding"], code) == ("skip", 0)
    file = shelf.folder / "keys.json"
    file.write_text('{"hmac": {"api_key": "KEEPSECRET", "secret": "KEEPSECRET"}}')
    file.chmod(0o644)
    document, code = examined(shelf, *binance, BLOOR_KEYS__BINANCE__PROD__FILE=str(file))
    (keys,) = [c for c in document["checks"] if c["check"] == "keys (prod)"]
    assert (keys["finding"], code) == ("fail", 1) and "chmod 600" in keys["text"]
    file.chmod(0o600)
    document, code = examined(shelf, *binance, BLOOR_KEYS__BINANCE__PROD__FILE=str(file))
    (keys,) = [c for c in document["checks"] if c["check"] == "keys (prod)"]
    assert (keys["finding"], code) == ("pass", 0)
    assert "KEEPSECRET" not in json.dumps(document)


# ---- what they all stand on -----------------------------------------------------------------------------------------


def found(environ) -> dict[str, Diagnosis]:
    environ = {"NUMBA_CACHE_DIR": "none", **environ}
    return {diagnosis.subject: diagnosis for diagnosis in machine.checks(PluginHost(), environ)}


def test_versions_that_differ_are_told(monkeypatch):
    """bloor's own distributions are released together."""
    assert found({})["versions"].finding is Finding.PASS
    monkeypatch.setattr(machine, "__version__", "9.9.9")
    versions = found({})["versions"]
    assert versions.finding is Finding.WARN and "bloor-risk 0." in versions.text


@pytest.mark.parametrize(
    ("requirement", "says"),
    [
        ("numpy>=99", "shop requires numpy>=99, and "),
        ("no-such-thing", "shop requires no-such-thing, which is not installed"),
        ("numpy >= ", "shop requires 'numpy >= ', which is no requirement"),
        ("no-such-thing; extra == 'more'", ""),
        ("numpy>=1", ""),
    ],
)
def test_a_plugin_without_what_it_requires_is_named(on_path, requirement, says):
    """Also when it was installed without looking at that; what an extra wants does not count."""
    info = on_path.add("shop", {"mine": "mine_mod"}, {"mine_mod.py": ""})
    with (info / "METADATA").open("a") as file:
        file.write(f"Requires-Dist: {requirement}\nProvides-Extra: more\n")
    requirements = found({})["requirements"]
    assert requirements.finding is (Finding.FAIL if says else Finding.PASS)
    assert requirements.text.startswith(says)


def test_extras_that_are_not_whole_are_named(monkeypatch):
    """With what they lack."""
    monkeypatch.setattr(machine, "_installed", lambda name: name != "duckdb")
    assert "data (lacks duckdb)" in found({})["extras"].text


def test_an_empty_cache_is_fine(tmp_path):
    """The first run fills it."""
    cache = found({"NUMBA_CACHE_DIR": str(tmp_path / "none")})["cache"]
    assert cache.finding is Finding.PASS and "the first run compiles" in cache.text


def test_a_cache_that_others_can_write_to_is_wrong(tmp_path):
    """bloor will not use it, and a person should know."""
    folder = tmp_path / "ladder-0123456789abcdef"
    folder.mkdir()
    folder.chmod(0o777)
    (tmp_path / "of-somebody-else").mkdir()
    (tmp_path / "of-somebody-else").chmod(0o777)
    cache = found({"NUMBA_CACHE_DIR": str(tmp_path)})["cache"]
    assert cache.finding is Finding.FAIL and "others can write to it" in cache.text and str(folder) in cache.advice


@pytest.mark.parametrize("files", [{"a.nbi": b"x"}, {"a.nbi": b"x", "a.nbc": b""}])
def test_a_cache_that_broke_while_it_was_written_is_wrong(tmp_path, files):
    """An index without code, or an empty file."""
    folder = tmp_path / "ladder-0123456789abcdef"
    folder.mkdir(mode=0o700)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    assert found({"NUMBA_CACHE_DIR": str(tmp_path)})["cache"].finding is Finding.FAIL
    (folder / "a.nbi").write_bytes(b"x")
    (folder / "a.nbc").write_bytes(b"x")
    assert "1 sets" in found({"NUMBA_CACHE_DIR": str(tmp_path)})["cache"].text
