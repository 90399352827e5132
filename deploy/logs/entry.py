"""A line of a log comes in, an `Entry` goes out: when, who, how bad, what, and the rest by name.

Replicas, the keeper, Prometheus and nginx's access log write JSON. nginx's error log, Redis and
supervisord can't: their own forms are read. What has none of these goes with the line before it.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

LEVELS = ("debug", "info", "warning", "error")
_LEVEL_OF = {
    **dict.fromkeys(("trace", "trac", "blat", "debg", ".", "-"), "debug"),
    **dict.fromkeys(("notice", "*"), "info"),
    **dict.fromkeys(("warn", "#"), "warning"),
    **dict.fromkeys(("erro", "err", "crit", "critical", "alert", "emerg", "fatal"), "error"),
}


class Entry(NamedTuple):
    """A line. `time` is in Unix seconds, `members` what JSON has beyond the usual, `text` the line."""

    time: float
    part: str
    level: str
    message: str
    members: dict[str, Any]
    text: str


class Reader:
    """Reads the lines of one part in their order."""

    def __init__(self, part: str) -> None:
        self._part = part
        self._last = Entry(0.0, part, "info", "", {}, "")

    def read(self, line: str) -> Entry:
        """Return the entry of a line."""
        found = _read_json(self._part, line) if line.startswith("{") else None
        found = found or _read_text(self._part, line)
        if found is None:
            return self._last._replace(message=line, members={}, text=line)
        self._last = found
        return found


def level_of(word: str) -> str:
    """Return one of `LEVELS` for what a part calls a level."""
    word = word.lower()
    return word if word in LEVELS else _LEVEL_OF.get(word, "info")


def _read_json(part: str, line: str) -> Entry | None:
    try:
        members = msgspec.json.decode(line, type=dict[str, Any])
        exact, time = members.pop("unix_seconds", None), members.pop("time", "")
        at = float(exact or _seconds(str(time or members.pop("ts", ""))))
    except (msgspec.MsgspecError, ValueError, TypeError):
        return None
    level = level_of(str(members.pop("level", "info")))
    message = str(members.pop("message", "") or members.pop("msg", ""))
    if "status" in members and "method" in members:
        level, message = _request(members)
    return Entry(at, part, level, message, members, line)


def _request(members: dict[str, Any]) -> tuple[str, str]:
    """Return level and message of a line of nginx's access log."""
    words = [str(members.pop(name, "")) for name in ("method", "path", "status", "seconds")]
    status = words[2]
    level = "error" if status >= "500" else "warning" if status >= "400" else "info"
    return level, "{} {} {} in {} s".format(*words)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _local(form: str) -> Callable[[str], float]:
    """Return how a time in the machine's own zone is read."""
    return lambda text: datetime.strptime(text, form).timestamp()


_FORMS = (
    # nginx's error log: 2026/11/26 00:05:53 [warn] 123#0: *4 …, and its exporter's without a level
    (
        re.compile(r"(?P<time>\d{4}/\d\d/\d\d [\d:]{8}) (?:\[(?P<level>\w+)\] )?(?P<message>.*)"),
        "%Y/%m/%d %X",
    ),
    # supervisord: 2026-11-26 00:05:53,123 INFO …
    (
        re.compile(r"(?P<time>\d{4}-\d\d-\d\d [\d:]{8},\d+) (?P<level>\w+) (?P<message>.*)"),
        "%Y-%m-%d %X,%f",
    ),
    # Redis: 123:M 26 Nov 2026 00:05:53.123 * …
    (
        re.compile(r"\d+:\w (?P<time>\d\d \w{3} \d{4} [\d:]{8}\.\d+) (?P<level>\S) (?P<message>.*)"),
        "%d %b %Y %X.%f",
    ),
    # logfmt, of exporters: ts=2026-11-26T00:05:53.123Z caller=… level=info …
    (re.compile(r"(?:ts|time)=(?P<time>\S+) (?P<message>.*?\blevel=(?P<level>\w+).*)"), ""),
)


def _read_text(part: str, line: str) -> Entry | None:
    for form, time_form in _FORMS:
        match = form.fullmatch(line)
        if match:
            try:
                at = (_local(time_form) if time_form else _seconds)(match["time"])
            except ValueError:
                continue
            return Entry(at, part, level_of(match["level"] or ""), match["message"], {}, line)
    return None
