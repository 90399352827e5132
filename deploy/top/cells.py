"""Numbers as a person reads them: a figure comes in, a few characters go out; `screen` calls."""

from math import floor

NOTHING = "—"


def number(value: float | None) -> str:
    """Return a count or a rate: 4.2, 1,234, 26.4k, 3.1M."""
    if value is None:
        return NOTHING
    if value < 9.95:
        return "0" if value < 0.05 else f"{value:.1f}"
    if value < 9999.5:
        return f"{value:,.0f}"
    if value < 999_950:
        return f"{value / 1e3:.1f}k"
    return f"{value / 1e6:.1f}M"


def whole(value: float | None) -> str:
    """Return a number of things: 0, 7, 12.0k."""
    return str(round(value)) if value is not None and value < 10 else number(value)


def seconds(value: float | None) -> str:
    """Return a latency: 410 µs, 2.1 ms, 48 ms, 1.2 s."""
    if value is None:
        return NOTHING
    if value < 0.9995e-3:
        return f"{value * 1e6:.0f} µs"
    if value < 9.95e-3:
        return f"{value * 1e3:.1f} ms"
    if value < 0.9995:
        return f"{value * 1e3:.0f} ms"
    return f"{value:.1f} s"


def percent(share: float | None) -> str:
    """Return a share: 0 %, 0.03 %, 4.2 %, 43 %; what isn't 0 or 1 doesn't read so."""
    if share is None:
        return NOTHING
    if share == 0:
        return "0 %"
    if share < 0.0001:
        return "<0.01 %"
    if share < 0.00995:
        return f"{share * 100:.2f} %"
    if share < 0.0995:
        return f"{share * 100:.1f} %"
    # 99.6 % ready or answered isn't all of it.
    return f"{floor(share * 100) if share > 0.99 else round(share * 100)} %"


def size(value: float | None) -> str:
    """Return bytes: 640 KiB, 68 MiB, 1.2 GiB."""
    if value is None:
        return NOTHING
    if value < 2**20:
        return f"{value / 2**10:.0f} KiB"
    return f"{value / 2**20:.0f} MiB" if value < 2**30 else f"{value / 2**30:.1f} GiB"


def duration(value: float | None) -> str:
    """Return a time span by its two largest units: 12s, 4m 10s, 2h 13m, 3d 4h."""
    if value is None:
        return NOTHING
    minutes, left = divmod(max(0, int(value)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [(days, "d"), (hours, "h"), (minutes, "m"), (left, "s")]
    first = next((place for place, (count, _) in enumerate(units) if count), 3)
    return " ".join(f"{count}{unit}" for count, unit in units[first : first + 2])
