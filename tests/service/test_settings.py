"""Settings: what the environment says becomes typed and bounded, or the start fails with a sentence."""

from dataclasses import fields
from pathlib import Path

import pytest

from service.settings import SettingError, Settings


def test_nothing_set() -> None:
    """An empty environment gives the defaults."""
    assert Settings.read({}) == Settings()


@pytest.mark.parametrize("blank", ["", "   "])
def test_empty_is_unset(blank: str) -> None:
    """A variable that is set but empty counts as unset: so Compose hands over what was left blank."""
    environ = {each.name.upper(): blank for each in fields(Settings)}
    assert Settings.read(environ) == Settings()


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("REGISTRY_DIR", "/data/registry", Path("/data/registry")),
        ("REDIS_URL", "redis://redis:6379/0", "redis://redis:6379/0"),
        ("REDIS_URL", "unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("CACHE", "off", "off"),
        ("CACHE_BY_MODEL", "a=off, b = always", (("a", "off"), ("b", "always"))),
        ("CACHE_TTL_SECONDS", "1", 1),
        ("CACHE_TIMEOUT_MS", "0.1", 0.1),
        ("CACHE_TIMEOUT_MS", "1000", 1000.0),
        ("CACHE_TIMEOUT_MS", "2.5", 2.5),
        ("MAX_BODY_BYTES", "1024", 1024),
        ("MAX_ROWS", " 12 ", 12),
        ("MAX_BATCH_ROWS", "1", 1),
        ("MAX_QUEUE_ROWS", "100000", 100_000),
        ("REQUEST_TIMEOUT_MS", "250", 250),
        ("REPORTS_DIR", "/data/reports", "/data/reports"),
        ("MAX_LOADED_VERSIONS", "1", 1),
        ("SHADOW_SHARE", "1", 1.0),
        ("SHADOW_SHARE", "0.001", 0.001),
        ("SHADOW_TOLERANCE", "0", 0.0),
        ("SHADOW_TOLERANCE", "1e-6", 1e-6),
        ("SHADOW_QUEUE_ROWS", "1", 1),
        ("DRIFT_ROWS_PER_SECOND", "0", 0),
        ("DRIFT_MAX_FEATURES", "1000", 1000),
        ("LOG_INPUT_SHARE", "0.25", 0.25),
        ("BIND", "unix:/run/a.sock,127.0.0.1:9101", "unix:/run/a.sock,127.0.0.1:9101"),
        ("REPLICA_NAME", "replica-7", "replica-7"),
        ("LOG_LEVEL", "debug", "debug"),
    ],
)
def test_value_is_read(variable: str, text: str, value: object) -> None:
    """Each setting is read from the variable of its name and has its type, bounds included."""
    read = getattr(Settings.read({variable: text}), variable.lower())
    assert read == value
    assert type(read) is type(value) or isinstance(read, Path)


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("REDIS_URL", "redis:6379", "redis:// or rediss:// or unix://…"),
        ("REDIS_URL", "http://redis", "redis:// or rediss:// or unix://…"),
        ("CACHE", "sometimes", "one of auto, always, off"),
        ("CACHE", "OFF", "one of auto, always, off"),
        ("LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        ("CACHE_TTL_SECONDS", "0", "a whole number from 1"),
        ("CACHE_TTL_SECONDS", "an hour", "a whole number from 1"),
        ("CACHE_TTL_SECONDS", "1.5", "a whole number from 1"),
        ("CACHE_TIMEOUT_MS", "0", "a number from 0.1 to 1000"),
        ("CACHE_TIMEOUT_MS", "1001", "a number from 0.1 to 1000"),
        ("CACHE_TIMEOUT_MS", "nan", "a number from 0.1 to 1000"),
        ("CACHE_TIMEOUT_MS", "inf", "a number from 0.1 to 1000"),
        ("MAX_BODY_BYTES", "1023", "a whole number from 1024"),
        ("MAX_ROWS", "0", "a whole number from 1"),
        ("MAX_BATCH_ROWS", "-4", "a whole number from 1"),
        ("MAX_QUEUE_ROWS", "0", "a whole number from 1"),
        ("SHADOW_SHARE", "0", "a number from 0.001 to 1"),
        ("SHADOW_SHARE", "25%", "a number from 0.001 to 1"),
        ("SHADOW_TOLERANCE", "-0.1", "a number from 0 to 1"),
        ("SHADOW_TOLERANCE", "1.1", "a number from 0 to 1"),
        ("SHADOW_QUEUE_ROWS", "0", "a whole number from 1"),
        ("DRIFT_ROWS_PER_SECOND", "-1", "a whole number from 0 to 10000"),
        ("DRIFT_MAX_FEATURES", "0", "a whole number from 1 to 1000"),
        ("LOG_INPUT_SHARE", "5%", "a number from 0 to 1"),
        ("REQUEST_TIMEOUT_MS", "5s", "a whole number from 1"),
        ("MAX_LOADED_VERSIONS", "0", "a whole number from 1"),
    ],
)
def test_bad_value_is_named(variable: str, text: str, expected: str) -> None:
    """What can't be used stops the start, with variable, value and expectation in one sentence."""
    with pytest.raises(SettingError) as refused:
        Settings.read({variable: text})
    assert str(refused.value).startswith(f"{variable}={text!r}: expected {expected}")


@pytest.mark.parametrize("text", ["digits", "digits=", "digits=sometimes", "a=off,b"])
def test_bad_exception_is_named(text: str) -> None:
    """An exception for a model that says nothing usable is named with its model."""
    model = text.rpartition(",")[2].partition("=")[0]
    with pytest.raises(
        SettingError, match=f"^CACHE_BY_MODEL: {model}='.*': expected one of auto, always"
    ):
        Settings.read({"CACHE_BY_MODEL": text})
