"""Refusals: what msgspec says becomes a sentence for people, in everyday words."""

from typing import Any

import msgspec
import pytest

from service.protocols.refusal import describe, refuse


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (2.5, "2.5"),
        (-2.2250738585072014e-308, "-2.2250738585072014e-308"),
        (10**400, "1" + "0" * 19 + "…"),
        ("short", "the string 'short'"),
        ("x" * 21, f"the string '{'x' * 20}'…"),
        ([], "an empty list"),
        ([1, 2], "a list of 2"),
        ({}, "an object with no members"),
        ({"a": 1, "b": 2}, "an object with 'a', 'b'"),
        (dict.fromkeys("abcdefg"), "an object with 'a', 'b', 'c', 'd', 'e'"),
    ],
)
def test_describe(value: Any, words: str) -> None:
    """A JSON value is described in a few words, however large it is."""
    assert describe(value) == words


def refusal(body: bytes, kind: Any, **more: str) -> str:
    """Return the sentence for a body that isn't of a type."""
    try:
        msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        return refuse(error, body, **more).message
    raise AssertionError("it was decoded")


@pytest.mark.parametrize(
    ("body", "kind", "sentence"),
    [
        (b'"a"', int, "body: expected a whole number, got the string 'a'"),
        (b"[1, true]", list[float], "[1]: expected a number, got true"),
        (b'{"a": [1, null]}', dict[str, list[int]], "[...][1]: expected a whole number"),
        (b'"a"', float | None, "body: expected a number or null, got the string 'a'"),
        (b'"a"', bool | None, "body: expected true, false or null, got the string 'a'"),
        (b"5", str | None, "body: expected a string or null, got 5"),
        (b"5", None, "body: expected null, got 5"),
        (b'"a"', list[int] | None, "body: expected a list, got the string 'a'"),
    ],
)
def test_place_and_words(body: bytes, kind: Any, sentence: str) -> None:
    """The sentence begins with the place; it speaks of numbers and lists, not of types."""
    assert refusal(body, kind).startswith(sentence)
    assert "`" not in refusal(body, kind)


def test_part_of_a_request() -> None:
    """A part that is decoded on its own is named by its place in the request."""
    assert refusal(b"[1, true]", list[float], at="inputs[0].data").startswith("inputs[0].data[1]: ")
    assert refusal(b"[1, 2", list[float], at="inputs[0].data").startswith(
        "inputs[0].data: not valid JSON: "
    )


def test_a_row_is_described() -> None:
    """A row that isn't one is answered with what a row is."""
    request = msgspec.defstruct("Request", [("instances", list[list[int]])])
    sentence = refusal(b'{"instances": [5]}', request, row="two numbers")
    assert sentence == "instances[0]: expected two numbers, got 5"
    sentence = refusal(b'{"instances": [["a"]]}', request, row="two numbers")
    assert sentence == "instances[0][0]: expected a whole number, got the string 'a'"
