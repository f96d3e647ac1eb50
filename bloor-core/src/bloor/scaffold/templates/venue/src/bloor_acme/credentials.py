"""Keys of an account at Acme, and what is signed with them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen
from bloor.errors import ConfigError
from bloor.hookspecs import StandInKeys
from bloor.venue.secret import Secret

__all__ = ["STAND_IN", "AcmeCredentials", "read_credentials"]

_KIND = "hmac"


@frozen(kw_only=True)
class AcmeCredentials:
    """One key with its secret; neither is ever printed."""

    key: str = field(repr=False)
    secret: Secret

    def login(self, time_ns: int) -> str:
        """The signature of a log-in at a venue time."""
        return self._sign(f"login{time_ns}")

    def headers(self, method: str, path: str, query: str, time_ns: int) -> dict[str, str]:
        """What a signed REST request says in its head."""
        signature = self._sign(f"{time_ns}{method}{path}?{query}")
        return {"acme-key": self.key, "acme-time": str(time_ns), "acme-signature": signature}

    def _sign(self, text: str) -> str:
        return hmac.new(self.secret.reveal().encode(), text.encode(), hashlib.sha256).hexdigest()


def read_credentials(keys: Mapping[str, Any]) -> AcmeCredentials:
    """Reads ``{"key": ..., "secret": ...}``.

    Raises:
        ConfigError: One of them is missing. The message holds no key.
    """
    for name in ("key", "secret"):
        if not isinstance(keys.get(name), str) or not keys[name]:
            raise ConfigError(f"credentials.acme.{name}", "a non-empty text", type(keys.get(name)).__name__)
    return AcmeCredentials(key=keys["key"], secret=Secret(keys["secret"]))


def _made_up(kind: str) -> AcmeCredentials:
    if kind != _KIND:
        raise ConfigError("credentials.acme", f"the kind {_KIND}", repr(kind))
    return AcmeCredentials(key="stand-in", secret=Secret("stand-in"))


#: Keys for a replay.
STAND_IN = StandInKeys(kind=lambda _: _KIND, make=_made_up)
