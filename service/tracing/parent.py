"""Whose part a request is: a traceparent header comes in, ids and a decision go out.

W3C Trace Context: https://www.w3.org/TR/trace-context/#traceparent-header
"""

import re
from typing import NamedTuple

# What a later version adds stands behind another dash.
_FORM = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})"
    rb"-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_SAMPLED = 1


class Parent(NamedTuple):
    """The span of the client's that caused a request; `sampled`: it is traced, so this is as well."""

    trace_id: int
    span_id: int
    sampled: bool


def read_parent(traceparent: bytes) -> Parent | None:
    """Return the parent, or None where a header isn't one: the request then begins a trace."""
    match = _FORM.fullmatch(traceparent)
    if not match or (match["version"] == b"00" and match["more"]):
        return None
    trace_id, span_id = int(match["trace"], 16), int(match["span"], 16)
    if not trace_id or not span_id:
        return None
    return Parent(trace_id, span_id, bool(int(match["flags"], 16) & _SAMPLED))
