"""Signed requests of Kraken's REST interface, and the frame around its answers (sans I/O).

Each request carries a nonce above the last one that Kraken saw of the key, in the body that is signed. So all requests
of a key are carried out one after the other (``about``), and all that are made in this process draw their nonces from
the key's own (:class:`~bloor_kraken.signing.Nonces`). The nonce is the one thing of a request that is not recorded: it
depends on what else the process has asked for, nothing depends on it, and a replay makes another one.

An answer is ``{"error":[...],"result":...}`` with status 200 even for a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from attrs import field, frozen

from bloor.errors import RemoteProtocolError
from bloor.venue.session import PATIENCE_NS, Request
from bloor_kraken.exact import parsed
from bloor_kraken.refusals import Refusal, refused_by
from bloor_kraken.signing import KrakenCredentials

__all__ = ["Answer", "PrivateRequest", "private_answer", "private_request"]

_FORM = "application/x-www-form-urlencoded"
_ABOUT = "nonce"


@frozen(kw_only=True)
class PrivateRequest(Request):
    """A request whose nonce is not recorded.

    Attributes:
        asked: The body without it.
    """

    asked: str = field(default="")

    def record(self) -> bytes:
        """Tag, method, path and what is asked for."""
        return f"{self.tag} {self.method} {self.path} {self.asked}".rstrip().encode()


def private_request(
    keys: KrakenCredentials,
    tag: str,
    path: str,
    params: Mapping[str, Any],
    now_ns: int,
    *,
    urgent: bool = False,
    patience_ns: int = PATIENCE_NS,
) -> PrivateRequest:
    """A signed request, form-encoded.

    Args:
        keys: The account's key.
        tag: Name of the answer.
        path: Path of the URL.
        params: What is asked for.
        now_ns: The time, for the nonce.
        urgent: Whether it takes risk away.
        patience_ns: How long it may wait for the rate limit.
    """
    nonce = keys.nonces.next(now_ns)
    asked = urlencode(params, quote_via=quote, safe=",:")
    body = f"nonce={nonce}&{asked}".rstrip("&").encode()
    return PrivateRequest(
        tag=tag, method="POST", path=path, params="", body=body, asked=asked, about=_ABOUT, urgent=urgent,
        headers={"Content-Type": _FORM, **keys.headers(path, nonce, body)}, patience_ns=patience_ns,
    )  # fmt: skip


class Answer(NamedTuple):
    """An answer, over either way.

    Attributes:
        result: What was asked for; None for a refusal.
        refusal: What a refusal means; None without one.
        words: The venue's words for it.
    """

    result: Any
    refusal: Refusal | None = None
    words: str = ""


def private_answer(tag: str, status: int, body: bytes) -> Answer:
    """Reads an answer of REST.

    Args:
        tag: Name of it, for messages.
        status: Its HTTP status; 0 when none came. 429 without a body was never sent.
        body: Its body.

    Raises:
        RemoteProtocolError: The status is 200 and the body is no such answer.
    """
    if status == 429:
        return Answer(None, Refusal.TOO_FAST if body else Refusal.UNSENT, "429 too many requests")
    if status != 200:
        return Answer(None, Refusal.UNCERTAIN, f"status {status}" if status else "no answer")
    document = parsed(body)
    if type(document) is not dict or type(document.get("error")) is not list:
        raise RemoteProtocolError(f"answer to {tag}: expected an object with error and result, got {body[:60]!r}")
    errors: Sequence[str] = [str(each) for each in document["error"] if not str(each).startswith("W")]
    if errors:
        return Answer(None, refused_by(errors), "; ".join(errors)[:200])
    return Answer(document.get("result"))
