"""What Kraken's error texts mean (sans I/O).

Both ways say the same texts, ``E<Category>:text[:detail]``: over REST in the list ``error``, over the WebSocket as
``error``. A request counts as not carried out only by a text that is listed here; whatever else goes wrong leaves its
outcome unknown. Source: docs.kraken.com, "API error messages", "Spot trading rate limits".
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

__all__ = ["Refusal", "meaning", "refused_by"]


class Refusal(Enum):
    """What a refusal says about the request, and about the next one."""

    #: Not carried out; the same again would be refused again.
    DEFINITE = "definite"
    #: Not carried out: too many requests.
    TOO_FAST = "too fast"
    #: Not carried out: it did not leave, for our own count of requests was at its limit.
    UNSENT = "unsent"
    #: Not carried out: the order is not open, or was never there.
    UNKNOWN_ORDER = "unknown order"
    #: Not carried out: the nonce was not above the last one.
    NONCE = "nonce"
    #: Not carried out: the connection's token is not accepted (any more).
    TOKEN = "token"  # noqa: S105 (a word)
    #: Not carried out: these keys may not do that, or do not exist.
    ACCESS = "access"
    #: Nobody knows: ask.
    UNCERTAIN = "uncertain"

    @property
    def certain(self) -> bool:
        """Whether the request was certainly not carried out."""
        return self is not Refusal.UNCERTAIN


#: Beginnings of texts, in lower case; the longest that fits counts.
_TEXTS = {
    "eapi:invalid key": Refusal.ACCESS,
    "eapi:invalid signature": Refusal.ACCESS,
    "eapi:feature disabled": Refusal.ACCESS,
    "egeneral:permission denied": Refusal.ACCESS,
    "eauth:": Refusal.ACCESS,
    "eapi:invalid nonce": Refusal.NONCE,
    "eapi:invalid token": Refusal.TOKEN,
    "esession:invalid session": Refusal.TOKEN,
    "eapi:rate limit exceeded": Refusal.TOO_FAST,
    "egeneral:temporary lockout": Refusal.TOO_FAST,
    "egeneral:too many requests": Refusal.TOO_FAST,
    "exceeded msg rate": Refusal.TOO_FAST,
    "eorder:rate limit exceeded": Refusal.TOO_FAST,
    "egeneral:invalid arguments": Refusal.DEFINITE,
    "egeneral:unknown method": Refusal.DEFINITE,
    "eapi:bad request": Refusal.DEFINITE,
    "equery:": Refusal.DEFINITE,
    "eservice:market in cancel_only mode": Refusal.DEFINITE,
    "eservice:market in post_only mode": Refusal.DEFINITE,
    "eservice:deadline elapsed": Refusal.DEFINITE,
    "eorder:unknown order": Refusal.UNKNOWN_ORDER,
    "eorder:invalid order": Refusal.UNKNOWN_ORDER,
    "eorder:": Refusal.DEFINITE,
    "etrade:": Refusal.DEFINITE,
}
_BY_LENGTH = sorted(_TEXTS, key=len, reverse=True)
_ASIDE = ("eorder:internal error",)


def meaning(text: str) -> Refusal:
    """What an error text means; UNCERTAIN for one that is not listed."""
    lowered = text.lower()
    if lowered.startswith(_ASIDE):
        return Refusal.UNCERTAIN
    return next((_TEXTS[start] for start in _BY_LENGTH if lowered.startswith(start)), Refusal.UNCERTAIN)


def refused_by(texts: Sequence[str]) -> Refusal:
    """What several texts mean together: certain only if each of them is, and then what the first one says."""
    meanings = [meaning(text) for text in texts]
    if not meanings or not all(each.certain for each in meanings):
        return Refusal.UNCERTAIN
    return meanings[0]
