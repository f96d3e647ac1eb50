"""Frames that a venue could send and frames that it should not: JSON written oddly, broken bytes, odd numbers.

Everything comes from a seed, so that a failure can be had again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import orjson

from bloor.simulation.venue import HttpRequest

__all__ = [
    "EXTRA",
    "ODD_INTEGERS",
    "ODD_NUMBERS",
    "ODD_VALUES",
    "Writer",
    "changed_somewhere",
    "hostile_request",
    "strings_of",
]

#: Texts of numbers: zero in many ways, at and beyond what 64 bits hold, and what is no plain number.
ODD_NUMBERS = [
    "0", "0.0", "0.00000000", "00100.5", "1e2", "-1.5", "", ".", "1.", ".5", "NaN", "1_0", "+1", " 1", "1 ", "\u0661",
    "100000000000000000", "100000000000000001", "99999999999999999", "9223372036854775807", "9223372036854775808",
    "92233720368547758.07", "92233720368547758.08", "2305843009213693951", "2305843009213693952",
    "18446744073709551717", "0.000000000000000001", "0.1000000000000000000000000000000000000000000",
    "123456789012345678901234567890",
    "100.123456789", "100.00000000000000000001", "1" + "0" * 70, "100." + "0" * 70, "0" * 20 + "1",
]  # fmt: skip
#: Integers, and what stands in their place.
ODD_INTEGERS = [
    -1, 0, 10**14 - 1, 10**14, 9223372036854, 9223372036855, 9223372036854775, 9223372036854776, 10**17, 10**18 - 1,
    10**18, 2**63 - 1, 2**63, 2**64, 10**30, 1.5, 1e3, "1", None, True,
]  # fmt: skip
#: Values of the wrong kind.
ODD_VALUES: list[Any] = [
    None, True, 1, -2.5, "x", "", [], {}, [[]], [{}], [["1"]], [["1", "2", []]], [["1", "2", "3"]], {"a": [1, {}]},
]  # fmt: skip
#: Fields that no venue has; where one has them, they stand there twice.
EXTRA: list[tuple[str, Any]] = [
    ("nested", {"a": [1, {"b": "}]"}], "c": {}}), ("list", [[], {}, [1, -0.5]]), ("", 1), ("é", "é"),
    ("text", 'a"b\\c'), ("\x7f", "\x7f"), ("big", 10**25), ("deep", [[[[[[[[1]]]]]]]]), ("float", 1.5e300),
    ("none", None), ("yes", True),
]  # fmt: skip
_BYTES = b'0123456789".,:{}[]eE-+ \\\0abtfn\x80\xff'


class Writer:
    """Writes JSON as a venue could, and as it should not, from a seed.

    Args:
        seed: Fixes everything.
        wild: Whether frames may be wrong.

    Attributes:
        random: Where chance comes from.
        wild: See above.
        careless: How often a value is odd; 0 when tame.
    """

    def __init__(self, seed: int, *, wild: bool) -> None:
        self.random = random.Random(seed)
        self.wild = wild
        self.careless: float = self.random.choice([0.0, 0.005, 0.03]) if wild else 0.0

    def chance(self, part: float) -> bool:
        """True that often."""
        return self.random.random() < part

    def one(self, odd: Sequence[Any], value: Any) -> Any:
        """The value, or now and then an odd one."""
        return self.random.choice(odd) if self.chance(self.careless) else value

    def integer(self, value: int) -> Any:
        """The number, or now and then an odd one."""
        return self.one(ODD_INTEGERS, value)

    def number(self, about: float, spread: float) -> str:
        """The text of a number near another, of 0 to 2 decimals as a rule, or now and then an odd one."""
        if self.chance(self.careless):
            return self.random.choice(ODD_NUMBERS)
        if self.wild and self.chance(0.01):
            return f"{about}.{self.random.randrange(10**8):08}"
        value = about + spread * (self.random.randrange(-20, 21) / 10)
        text = f"{abs(value):.{self.random.choice([0, 1, 2, 2, 2, 2, 2])}f}"
        if self.chance(0.2) and "." in text:
            text = text.rstrip("0").rstrip(".") or "0"
        return text + ("0" * self.random.randrange(8) if "." in text and self.chance(0.1) else "")

    # ---- as text ----------------------------------------------------------------------------------------------------

    def frame(self, document: Any, *, tidy: float = 0.4) -> bytes:
        """The text of a document; of a wild writer sometimes with broken bytes.

        Args:
            document: What JSON can hold.
            tidy: How often it is written without white space and in the given order.
        """
        text = self.text(document, tidy=self.chance(tidy)).encode()
        return self.mutated(text) if self.wild and self.chance(0.15) else text

    def text(self, value: Any, *, tidy: bool) -> str:
        """A value as JSON: keys in any order and sometimes twice, white space and escapes here and there."""

        def gap() -> str:
            return "" if tidy or self.chance(0.8) else self.random.choice([" ", "\n", "\t ", "\r\n"])

        if isinstance(value, dict):
            items = list(value.items())
            if not tidy:
                self.random.shuffle(items)
            if items and self.chance(self.careless):
                items.append(self.random.choice(items))
            inner = (
                f"{gap()}{self.text(k, tidy=tidy)}{gap()}:{gap()}{self.text(v, tidy=tidy)}{gap()}" for k, v in items
            )
            return "{" + ",".join(inner) + "}"
        if isinstance(value, list):
            return "[" + ",".join(f"{gap()}{self.text(v, tidy=tidy)}{gap()}" for v in value) + gap() + "]"
        if isinstance(value, Bare):
            return value.text
        if isinstance(value, str):
            if value and self.chance(self.careless / 2):
                return escaped(value)
            return orjson.dumps(value).decode()
        return repr(value) if type(value) in (int, float) else orjson.dumps(value).decode()

    def mutated(self, frame: bytes) -> bytes:
        """The frame with a few bytes replaced, inserted, deleted, doubled or cut off."""
        changed = bytearray(frame)
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            at = self.random.randrange(len(changed) + 1)
            how = self.random.choice(["replace", "insert", "delete", "truncate", "double"])
            byte = self.random.choice(_BYTES)
            if how == "insert" or at == len(changed):
                changed.insert(at, byte)
            elif how == "replace":
                changed[at] = byte
            elif how == "delete":
                del changed[at : at + self.random.choice([1, 1, 1, 5])]
            elif how == "truncate":
                del changed[at:]
            else:
                changed[at:at] = changed[at : at + 9]
            if not changed:
                break
        return bytes(changed)

    def hostile(self, samples: Sequence[bytes]) -> bytes:
        """Something that a peer may not send: a sample that is broken, another document, or bytes."""
        how = self.random.choice(["break", "break", "break", "value", "same", "bytes"])
        if how == "break":
            return self.mutated(self.random.choice(samples))
        if how == "value":
            return self.text(self.random.choice(ODD_VALUES), tidy=False).encode()
        if how == "same":
            return self.random.choice(samples)
        return self.random.randbytes(self.random.randrange(60))


class Bare:
    """A JSON number as its own text, so that reading and writing leaves it alone.

    Attributes:
        text: The number as it stands in the frame.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def read(frame: bytes) -> Any:
    """A frame as a document whose bare numbers are :class:`Bare`; for frames that are JSON."""
    import json

    return json.loads(frame, parse_float=Bare, parse_int=Bare, parse_constant=Bare)


def escaped(text: str) -> str:
    """A JSON string of nothing but escapes; characters beyond 16 bits stay as they are."""
    return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in text) + '"'


def strings_of(value: Any) -> Iterator[str]:
    """Every string in a document, keys left out."""
    if isinstance(value, dict):
        for below in value.values():
            yield from strings_of(below)
    elif isinstance(value, list):
        for below in value:
            yield from strings_of(below)
    elif isinstance(value, str):
        yield value


def objects_of(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document, the outermost first."""
    if isinstance(value, dict):
        yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects_of(below)


def changed_somewhere(writer: Writer, document: Any) -> None:
    """Adds, takes out or replaces a field in some object of a document, in place; nothing when it has none."""
    objects = list(objects_of(document))
    if not objects:
        return
    inner = writer.random.choice(objects)
    how = writer.random.choice(["add", "add", "remove", "replace", "number"])
    keys = list(inner)
    if how == "add" or not keys:
        key, value = writer.random.choice(EXTRA)
        inner[key] = value
    elif how == "remove":
        del inner[writer.random.choice(keys)]
    elif how == "replace":
        inner[writer.random.choice(keys)] = writer.random.choice(ODD_VALUES)
    else:
        odd: list[Any] = [*ODD_NUMBERS, *ODD_INTEGERS]
        inner[writer.random.choice(keys)] = writer.random.choice(odd)


def hostile_request(writer: Writer, targets: Sequence[str]) -> HttpRequest:
    """A REST request that nobody has thought of: paths cut and joined, odd queries, bodies, headers and methods.

    Args:
        writer: Where chance comes from.
        targets: Paths with their query that mean something.
    """
    chance = writer.random
    path, _, query = chance.choice(targets).partition("?")
    if writer.chance(0.3):
        path = path[: chance.randrange(len(path) + 1)] + chance.choice(["", "/", "//", "/x", "%00", "é"])
    if writer.chance(0.5):
        query += chance.choice(["", "&", "&limit=-1", "&limit=x", "&symbol=", "&a=%ff", "&limit=99999999999999999999"])
    if writer.chance(0.3):
        query = writer.mutated(query.encode() or b"a=1").decode(errors="replace")
    bodies = [b"", b"{}", b"[]", b"a=1&b", b"\xff", quote(query).encode(), writer.mutated(b'{"a":[1,"x"]}')]
    headers: list[dict[str, str]] = [
        {}, {"authorization": "Bearer x.y.z"}, {"api-key": "x", "api-sign": "!!"}, {"x-mbx-apikey": "é"},
    ]  # fmt: skip
    method = chance.choice(["GET", "POST", "PUT", "DELETE", "PATCH", ""])
    return HttpRequest(method, path, query, chance.choice(headers), chance.choice(bodies))
