"""How an entry is shown: for people in a line of columns, for machines as one JSON object."""

from datetime import datetime

import click
import msgspec

from deploy.logs.entry import Entry

_PART_COLOURS = ("cyan", "green", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta")
_LEVEL_COLOURS = {"debug": "bright_black", "warning": "yellow", "error": "red"}
_WIDTH = 12  # of a part's name


class Lines:
    """Makes lines; each part keeps its colour. Where none is wanted, `click.echo` takes them out."""

    def __init__(self) -> None:
        self._colours: dict[str, str] = {}

    def of(self, entry: Entry) -> str:
        """Return time (in the zone of this machine), part, level, message, members and the trace."""
        at = datetime.fromtimestamp(entry.time).strftime("%m-%d %H:%M:%S.%f")[:-3] if entry.time else ""
        colour = self._colours.setdefault(
            entry.part, _PART_COLOURS[len(self._colours) % len(_PART_COLOURS)]
        )
        members = dict(entry.members)
        trace = str(members.pop("exception", ""))
        members.pop("logger", None)
        words = [
            click.style(f"{at:18}", dim=True),
            click.style(f"{entry.part:>{_WIDTH}}", fg=colour),
            click.style(f"{entry.level:7}", fg=_LEVEL_COLOURS.get(entry.level)),
            entry.message,
        ]
        told = " ".join(f"{name}={value}" for name, value in members.items() if value not in ("", None))
        if told:
            words.append(click.style(told, dim=True))
        below = "".join(f"\n{'':{_WIDTH + 28}}{line}" for line in trace.splitlines())
        return " ".join(words) + below


def as_json(entry: Entry) -> str:
    """Return an object with the part's name, in the words of the line where that is JSON."""
    if entry.text.startswith("{") and entry.members:
        written = msgspec.json.decode(entry.text, type=dict[str, object])
    else:
        at = datetime.fromtimestamp(entry.time).astimezone().isoformat(timespec="milliseconds")
        written = {"time": at, "level": entry.level, "message": entry.message}
    return msgspec.json.encode({"part": entry.part, **written}).decode()
