"""Settings: the environment comes in, one typed and bounded object goes out; read once at start.

Nothing else in the service reads the environment. A variable that is set but empty counts as unset,
because that is how Compose hands over what a user left blank.
"""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self, get_args, get_origin

from service.gate import CacheMode


class SettingError(ValueError):
    """A variable holds something that can't be used; the message names it, its value and the cure."""


def setting(
    default: Any,
    help_: str,
    low: float = 0,
    high: float = float("inf"),
    starts: tuple[str, ...] = ("",),
    form: str = "",
) -> Any:
    """Declare a setting: its default, a sentence of help, a number's bounds.

    `starts` says how a text may start, `form` is an expression that all of it must match.
    """
    limits = {"low": low, "high": high, "starts": starts, "form": form}
    return field(default=default, metadata={"help": help_, "default": default, **limits})


class Environment:
    """Base of a frozen dataclass whose fields are read from variables of the same name, upper-case."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read every field from `environ`; raise `SettingError` for the first that doesn't parse."""
        given = {}
        for each in fields(cls):  # type: ignore[arg-type]  # every subclass is a dataclass
            text = environ.get(each.name.upper(), "").strip()
            if text:
                given[each.name] = _parse(each.name.upper(), text, each.type, each.metadata)
        return cls(**given)


def _parse(name: str, text: str, kind: Any, bounds: Mapping[str, Any]) -> Any:
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise SettingError(f"{name}={text!r}: expected one of {', '.join(get_args(kind))}")
        return text
    if get_origin(kind) is tuple:  # pairs of a name and a value
        value = get_args(get_args(kind)[0])[1]
        pairs = [part.partition("=") for part in text.split(",")]
        return tuple(
            (key.strip(), _parse(f"{name}: {key.strip()}", given.strip(), value, bounds))
            for key, _, given in pairs
        )
    if kind not in (int, float):
        if not text.startswith(bounds["starts"]):
            raise SettingError(f"{name}={text!r}: expected {' or '.join(bounds['starts'])}…")
        if bounds["form"] and not re.fullmatch(bounds["form"], text):
            raise SettingError(f"{name}={text!r}: expected something like {bounds['default']}")
        return kind(text)
    low, high = bounds["low"], bounds["high"]
    try:
        number: float = kind(text)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        noun = "a whole number" if kind is int else "a number"
        raise SettingError(f"{name}={text!r}: expected {noun} from {low:g} to {high:g}")
    return number


@dataclass(frozen=True)
class Settings(Environment):
    """What a replica can be told."""

    registry_dir: Path = setting(Path(".flotilla/registry"), "Folder of models, versions and routes.")
    reports_dir: str = setting("", "Folder in which it says what it holds; empty: it says nothing.")
    max_loaded_versions: int = setting(
        32, "Most versions in memory; of those that may go, the least recently routed go first.", 1
    )
    redis_url: str = setting(
        "",
        "Prediction cache, as redis://… or unix://…; empty: no cache.",
        starts=("redis://", "rediss://", "unix://"),
    )
    cache: CacheMode = setting("auto", "Whether rows are looked up in Redis; auto: where it pays.")
    cache_by_model: tuple[tuple[str, CacheMode], ...] = setting(
        (), "Exceptions from CACHE, as in digits=off,movies=always."
    )
    cache_ttl_seconds: int = setting(3600, "How long a cached row lives, give or take a tenth.", 1)
    cache_timeout_ms: float = setting(5, "The most that a look-up may cost a request.", 0.1, 1000)
    max_body_bytes: int = setting(4 << 20, "Largest request body; nginx has the same limit.", 1024)
    max_rows: int = setting(4096, "Most rows in one request.", 1)
    max_batch_rows: int = setting(1024, "Most rows in one call of the engine.", 1)
    max_queue_rows: int = setting(8192, "Rows that may wait for the engine; more answers 429.", 1)
    request_timeout_ms: int = setting(5_000, "A request is answered within this, or 504.", 1)
    shadow_share: float = setting(0.25, "Most of the time for which a shadow may work.", 0.001, 1)
    shadow_tolerance: float = setting(
        0.01, "Numbers that differ by no more than this share of the larger one agree.", 0, 1
    )
    shadow_queue_rows: int = setting(4096, "Rows that may wait for a shadow; more are left out.", 1)
    drift_rows_per_second: int = setting(
        50, "Rows of each version that are compared with its baseline, about; 0: none.", 0, 10_000
    )
    drift_max_features: int = setting(
        128, "Most features of a version that are compared; of more, some evenly spaced ones.", 1, 1000
    )
    log_input_share: float = setting(
        0.0, "Share of requests whose rows are logged, as clients sent them; 0: none.", 0, 1
    )
    feedback_dir: str = setting("", "Folder of answers and true labels; empty: no feedback.")
    feedback_requests_per_second: int = setting(
        200, "Most answers that a replica remembers for labels in a second, the first of it.", 1
    )
    feedback_keep_hours: float = setting(168, "How long labels may come after the answer.")
    feedback_max_rows: int = setting(
        2_000_000, "Most answers remembered by all replicas together, some 120 bytes each.", 1
    )
    bind: str = setting("0.0.0.0:8000", "Where gunicorn listens, separated by commas.")
    replica_name: str = setting(socket.gethostname(), "Sent as X-Replica.")
    log_level: Literal["debug", "info", "warning", "error"] = setting("info", "Least level logged.")
    slow_request_ms: int = setting(
        1000, "A request that takes longer gets a line in the log with where its time went; 0: none."
    )
    otel_exporter_otlp_endpoint: str = setting(
        "",
        "Where traces are sent, over OTLP/HTTP; empty: nothing is traced.",
        starts=("http://", "https://"),
    )
    otel_exporter_otlp_headers: str = setting("", "Sent along, as in name=value,name=value.")
    otel_service_name: str = setting("flotilla", "Whose the spans are.")
    otel_traces_sampler_arg: float = setting(
        1.0, "Share of requests traced; a client's own traceparent decides for its request.", 0, 1
    )
