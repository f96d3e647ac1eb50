"""What all cards share: their numbers, the guard around them, waivers, and the plug-in they are about."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, ClassVar, NamedTuple, NoReturn

import pytest

from bloor.errors import PluginError, nearest
from bloor.plugins.host import PluginHost

__all__ = ["NOT_APPLICABLE", "WAIVED", "Card", "Cards", "cards_of", "check_untouched", "does_not_apply", "number_of"]

#: Where the cards of the kit come from.
_KIT = "bloor.testing.cards."
_NAME = re.compile(r"test_([a-z])(\d\d)_\w+")
#: How the reason of a skipped card begins.
WAIVED, NOT_APPLICABLE = "waived: ", "does not apply: "


class Card(NamedTuple):
    """One card.

    Attributes:
        number: Its number, such as ``F07``; it never changes.
        name: The test method.
        holds: What it holds, one sentence.
        why: Why that matters, and how it is tested.
    """

    number: str
    name: str
    holds: str
    why: str


def does_not_apply(reason: str) -> NoReturn:
    """Ends a card that asks about something optional which the plug-in does not have."""
    pytest.skip(NOT_APPLICABLE + reason)


class Cards:
    """Base of the cards of every kind; subclass the class of a kind, not this one.

    Attributes:
        plugin: The name of the installed plug-in that the cards are about.
        waived: Number of a card -> why this plug-in cannot promise it.
        kind: What kind of plug-in the cards are for.
        hook: The hook that such a plug-in implements.
    """

    plugin: ClassVar[str] = ""
    waived: ClassVar[Mapping[str, str]] = {}
    kind: ClassVar[str] = ""
    hook: ClassVar[str] = ""
    _host: ClassVar[PluginHost | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.startswith(_KIT):
            for name, function in list(vars(cls).items()):
                if _NAME.fullmatch(name):
                    setattr(cls, name, _carried(name, function))
            return
        check_untouched(cls)
        _check_waivers(cls)

    @property
    def host(self) -> PluginHost:
        """The plug-ins of this process, of which :attr:`plugin` is one."""
        cls = type(self)
        if cls._host is None:
            if not cls.plugin:
                pytest.fail(
                    f"{cls.__name__}.plugin: expected the name of your plug-in, as users type it; "
                    f'write plugin = "..." in {cls.__module__}.{cls.__name__}',
                    pytrace=False,
                )
            cls._host = PluginHost()
        return cls._host

    def provided(self, hook: str) -> bool:
        """Whether the plug-in implements a hook."""
        return hook in self.host.load(self.plugin).hooks

    def capabilities(self) -> dict[str, bool | str]:
        """What the plug-in has of what is optional for its kind; a word where yes and no say too little."""
        return {}


def cards_of(cls: type) -> Iterator[Card]:
    """The cards of a class and its bases, by number."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith(_KIT):
            found |= {name: vars(base)[name] for name in vars(base) if _NAME.fullmatch(name)}
    for name in sorted(found):
        holds, _, why = inspect.cleandoc(found[name].__doc__ or "").partition("\n\n")
        yield Card(_number(name), name, " ".join(holds.split()), " ".join(why.split()))


def number_of(name: str) -> str:
    """The number in the name of a test method; empty when it is not one of a card."""
    return _number(name) if _NAME.fullmatch(name) else ""


def _number(name: str) -> str:
    return name[5:8].upper()


def _carried(name: str, card: Callable[[Any], None]) -> Callable[[Any], None]:
    """A card that knows of waivers, and says what it holds when it fails."""
    number = _number(name)
    holds = " ".join(inspect.cleandoc(card.__doc__ or "").partition("\n\n")[0].split())

    @wraps(card)
    def carried(self: Any) -> None:
        if number in self.waived:
            pytest.skip(WAIVED + self.waived[number])
        try:
            card(self)
        except PluginError as error:
            pytest.fail(f"{number}: {error}", pytrace=False)
        except pytest.fail.Exception as error:
            pytest.fail(f"{error.msg}\n{number} of {self.plugin}: {holds}", pytrace=False)
        except Exception as error:
            error.add_note(f"{number} of {self.plugin}: {holds}")
            raise

    return carried


def check_untouched(cls: type[Cards]) -> None:
    """Refuses a class in which a card is not the kit's.

    Raises:
        TypeError: Names the card, and what can be done instead.
    """
    own = {card.number: card for card in cards_of(cls)}
    for card in own.values():
        home = next(base for base in cls.__mro__ if base.__module__.startswith(_KIT) and card.name in vars(base))
        if inspect.getattr_static(cls, card.name) is not vars(home)[card.name]:
            raise TypeError(
                f"{cls.__name__}: expected card {card.number} ({card.name}) as {home.__name__} has it, got another; "
                f'a card cannot be overridden: waive it with waived = {{"{card.number}": "the reason"}}, and give a '
                "test of your own a name of its own"
            )
    for base in cls.__mro__:
        for name in vars(base) if not base.__module__.startswith(_KIT) else ():
            if _NAME.fullmatch(name) and name[5].upper() in {number[0] for number in own}:
                raise TypeError(
                    f"{cls.__name__}.{name}: expected a name that is not a card's, got the number {_number(name)}; "
                    "numbers are the kit's: give a test of your own another name"
                )


def _check_waivers(cls: type[Cards]) -> None:
    """Refuses a waiver without a card or without a reason.

    Raises:
        TypeError: Names the waiver.
    """
    numbers = [card.number for card in cards_of(cls)]
    for number, reason in cls.waived.items():
        if number not in numbers:
            raise TypeError(
                f"{cls.__name__}.waived: expected numbers of {numbers[0]} to {numbers[-1]}, got {number!r}"
                f"{nearest(number, numbers)}"
            )
        if len(str(reason).split()) < 3:
            raise TypeError(
                f"{cls.__name__}.waived[{number!r}]: expected a sentence that says why the plug-in cannot promise it, "
                f"got {reason!r}"
            )
