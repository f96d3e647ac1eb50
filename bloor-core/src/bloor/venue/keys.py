"""Where an account's keys are read from: the system's keyring, or a file that only its owner can read.

Nothing else: never the command line, which every process can see, and never the configuration, which is written into
the session. A configured place (``[keys.<venue>.<environment>]``, which the environment variable
``BLOOR_KEYS__BINANCE__PROD__FILE`` can set) is the only one that is looked at; without one it is the entry
``binance:prod`` of the service ``bloor`` in the keyring, and then the file ``binance-prod.json`` in
:func:`key_folder`.

What is there is JSON or TOML, in the form of the venue, e.g. ``{"ed25519": {"api_key": ..., "private_key_file":
"key.pem"}}``. ``NAME_file`` stands for ``NAME`` or ``NAME_pem``: the content of another file, beside the first one
unless its path is absolute, with the same rules. Messages never hold any of it.
"""

from __future__ import annotations

import os
import shlex
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from bloor.config.sections import KeySource
from bloor.errors import ConfigError, InputFileError

__all__ = ["KEYRING_SERVICE", "key_folder", "load_keys", "read_key_file"]

#: The service under which keys stand in the system's keyring.
KEYRING_SERVICE = "bloor"
_MOST_BYTES = 1 << 16
_FILE = "_file"


def key_folder(environ: Mapping[str, str]) -> Path:
    """Where key files are looked for: ``$XDG_CONFIG_HOME/bloor/keys``, else ``~/.config/bloor/keys``."""
    base = environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "bloor" / "keys"


def load_keys(venue: str, env: str, source: KeySource, environ: Mapping[str, str]) -> Mapping[str, Any]:
    """The keys of an account, as the venue's plug-in wants them.

    Args:
        venue: The venue's name.
        env: The environment they are for.
        source: What is configured for it.
        environ: Environment variables, for the default folder.

    Raises:
        ConfigError: There are none, or the keyring cannot be asked; says where was looked and what to do.
        InputFileError: A file cannot be read, can be read by others, or is not what it should be.
    """
    path = f"keys.{venue}.{env}"
    if source.file is not None and source.keyring is not None:
        raise ConfigError(path, "one of file and keyring", "both", "", "; take one out")
    if source.file is not None:
        return read_key_file(source.file.expanduser())
    name = source.keyring or f"{venue}:{env}"
    found, trouble = _from_keyring(name)
    if found:
        return _parsed(found, f"keyring entry {name!r} of the service {KEYRING_SERVICE!r}", None)
    file = key_folder(environ) / f"{venue}-{env}.json"
    if source.keyring is None and file.exists():
        return read_key_file(file)
    looked = f"none in the keyring ({trouble})"
    if source.keyring is None:
        looked += f" and no file {file}"
    hint = f"; write them into a file of mode 0600 and name it: {path}.file, or BLOOR_{_variable(venue, env)}__FILE"
    raise ConfigError(path, f"keys of {venue} for {env}", looked, "", hint)


def _variable(venue: str, env: str) -> str:
    return f"KEYS__{venue}__{env}".upper().replace("-", "_")


def _from_keyring(name: str) -> tuple[str, str]:
    """The text of an entry, or why there is none."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return "", "keyring is not installed: pip install 'bloor-core[keyring]'"
    try:
        text = keyring.get_password(KEYRING_SERVICE, name)
    except KeyringError as error:
        return "", f"{type(error).__name__}: it cannot be asked on this system"
    return (text, "") if text else ("", f"no entry {name!r} of the service {KEYRING_SERVICE!r}")


def read_key_file(path: Path) -> Mapping[str, Any]:
    """The keys in a file.

    Raises:
        InputFileError: It cannot be read, others can read it, or it is not what it should be.
    """
    return _parsed(_private_text(path), str(path), path.parent)


def _private_text(path: Path) -> str:
    """The text of a file that only its owner can read."""
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise InputFileError(str(path), "expected a file with keys, got something that is no regular file")
            _check_private(path, about)
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputFileError(str(path), f"the key file cannot be read: {error.strerror}") from None
    try:
        if len(raw) <= _MOST_BYTES:
            return raw.decode()
    except UnicodeDecodeError:
        pass
    raise InputFileError(str(path), f"expected keys: text of at most {_MOST_BYTES} bytes, got something else")


def _check_private(path: Path, about: os.stat_result) -> None:
    if os.name != "posix":
        return
    mode = stat.S_IMODE(about.st_mode)
    if mode & 0o077:
        raise InputFileError(
            str(path), f"expected a key file that only its owner can read (0600), got mode {mode:04o}; "
            f"run: chmod 600 {shlex.quote(str(path))}"
        )  # fmt: skip
    if about.st_uid not in (os.geteuid(), 0):
        raise InputFileError(str(path), "expected a key file of your own, got one that belongs to another user")


def _parsed(text: str, where: str, folder: Path | None) -> dict[str, Any]:
    """The document, ``NAME_file`` replaced by what the files hold. What is wrong is never quoted."""
    document: Any = None
    try:
        document = orjson.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (orjson.JSONDecodeError, tomllib.TOMLDecodeError):
        document = None
    if not isinstance(document, dict) or not document:
        raise InputFileError(where, 'expected keys as JSON or TOML, such as {"ed25519": {...}}, got something else')
    return {
        kind: _with_files(section, where, folder) if isinstance(section, dict) else section
        for kind, section in document.items()
    }


def _with_files(section: Mapping[str, Any], where: str, folder: Path | None) -> dict[str, Any]:
    made = dict(section)
    for name in [key for key in section if key.endswith(_FILE)]:
        value = made.pop(name)
        if not isinstance(value, str) or not value:
            raise InputFileError(where, f"{name}: expected the path of a file")
        path = Path(value).expanduser()
        if folder is None and not path.is_absolute():
            raise InputFileError(where, f"{name}: expected an absolute path, since a keyring is in no folder")
        text = _private_text(path if folder is None else folder / path)
        target = name.removesuffix(_FILE)
        made[f"{target}_pem" if text.lstrip().startswith("-----BEGIN") else target] = text.strip() + "\n"
    return made
