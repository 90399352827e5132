"""Refusals: a body that didn't decode comes in, a sentence that a person can act on goes out.

msgspec says where a value was wrong and what it wanted; here the body is read once more, without
types, to say what came instead. Only refused requests pay for that.
"""

import re
from typing import Any

import msgspec

from service.errors import BadInput

_WHERE = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_ROW = re.compile(r"\.(?:instances|inputs)\[\d+\]")
_LONGEST_FLOAT = len("-2.2250738585072014e-308")
_STEP = re.compile(r"\[(\d+|\.\.\.)\]|\.([^.\[\]]+)")
_PLAIN = {
    "`array` of length": "a list of length",
    "`object | array`": "an object or a list",
    "`array | null`": "a list",
    "`object | null`": "an object or null",
    "`float | null`": "a number or null",
    "`int | null`": "a whole number or null",
    "`str | null`": "a string or null",
    "`bool | null`": "true, false or null",
    "`array`": "a list",
    "`object`": "an object",
    "`float`": "a number",
    "`int`": "a whole number",
    "`str`": "a string",
    "`bool`": "true or false",
    "`null`": "null",
}


def refuse(error: Exception, body: bytes, row: str = "", at: str = "") -> BadInput:
    """Return the error to answer with.

    `row` says in words what a row is; `at` is the path of `body` where it is a part of the request.
    """
    if isinstance(error, RecursionError):
        return BadInput(f"{at or 'body'}: nested too deeply")
    if not isinstance(error, msgspec.ValidationError):
        return BadInput(f"{at or 'body'}: not valid JSON: {error}")
    match = _WHERE.fullmatch(str(error))
    what, path = match["what"], match["path"] or ""  # type: ignore[index]  # it matches anything
    where = (at + path).lstrip(".") or "body"
    got = _describe_at(body, path)
    if row and _ROW.fullmatch(path):
        if what.startswith("Expected"):
            return BadInput(f"{where}: expected {row}{got}")
        return BadInput(f"{where}: {_plain(what)}; a row is {row}")
    return BadInput(f"{where}: {_plain(what)}{got}")


def _plain(what: str) -> str:
    """Put msgspec's words for types into everyday ones."""
    what = what.partition(", got ")[0]
    for typed, plain in _PLAIN.items():
        what = what.replace(typed, plain)
    return what[0].lower() + what[1:]


def describe(value: Any) -> str:
    """Say in a few words what a JSON value is."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the string {value[:20]!r}{'…' if len(value) > 20 else ''}"
        case list():
            return f"a list of {len(value)}" if value else "an empty list"
        case dict():
            return f"an object with {', '.join(map(repr, list(value)[:5])) or 'no members'}"
    number = f"{value}"
    return number if len(number) <= _LONGEST_FLOAT else f"{number[:20]}…"


def _describe_at(body: bytes, path: str) -> str:
    """Say what stands at msgspec's path, e.g. `.instances[3][0]`; nothing where that can't be read."""
    try:
        value = msgspec.json.decode(body)
        for index, key in _STEP.findall(path):
            value = value[int(index)] if index else value[key]
    except (msgspec.MsgspecError, RecursionError, LookupError, TypeError, ValueError):
        return ""
    return f", got {describe(value)}"
