"""Pieces that the sections of the page are put together from."""

from __future__ import annotations

from decimal import Decimal

from bloor.observe.page.words import NONE, amount, plain

__all__ = ["money", "plot", "section"]


def section(name: str, title: str, *parts: str) -> str:
    """A section with a heading; its parts are HTML already."""
    return f'<section id="{name}"><h2>{title}</h2>{"".join(parts)}</section>'


def plot(name: str, title: str, note: str = "", *, wide: bool = False) -> str:
    """A place for a plot; the script fills it."""
    below = f'<p class="note">{note}</p>' if note else ""
    return (
        f'<figure class="plot{" wide" if wide else ""}" id="plot-{name}"><figcaption><span class="name">{title}</span>'
        f'<span class="readout"></span></figcaption><div class="canvas"></div>{below}</figure>'
    )


def money(value: float | Decimal | None, currency: str, *, sign: bool = False) -> str:
    """An amount with its currency."""
    return NONE if value is None else f'{amount(value, sign=sign)}&nbsp;<span class="unit">{plain(currency)}</span>'
