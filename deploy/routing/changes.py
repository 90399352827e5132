"""What each command makes of a route: the one in force comes in, the next goes out. Pure functions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from deploy.errors import Refused
from deploy.routing.buckets import BUCKETS
from service.versions.route import Fallback, Route

PINNED_KEY = re.compile(r"[A-Za-z0-9._:-]{1,64}")  # as in nginx/split.conf

MOST_FALLBACKS = 10

Current = tuple[int, Route] | None  # number and route of the generation in force


@dataclass(frozen=True)
class Draft:
    """A route that isn't made yet."""

    weights: Mapping[str, float]
    edge_cache: bool = True
    shadow: str = ""
    pins: Mapping[str, str] = field(default_factory=dict)
    fallbacks: tuple[Fallback, ...] = ()
    breached: str = ""  # the version that a canary takes back for its figures

    @property
    def versions(self) -> set[str]:
        """All versions that it names."""
        return {*self.weights, *self.pins.values(), *filter(None, [self.shadow])}


def activated(current: Current, version: str, edge_cache: bool | None = None) -> Draft:
    """Draft one version for everybody; shares, pins and a shadow end."""
    draft = Draft({version: 100.0}, _edge_cache(current, edge_cache))
    return replace(draft, fallbacks=_fallbacks(current, version))


def split(
    current: Current, weights: Mapping[str, float], pins: Mapping[str, str] | None = None
) -> Draft:
    """Draft shares of several versions, and keys pinned to one; `pins` of None leaves them.

    Raises `Refused` where the shares, in percent, can't be.
    """
    for version, weight in weights.items():
        if not 0 <= weight <= 100 or abs(weight * BUCKETS / 100 - round(weight * BUCKETS / 100)) > 1e-6:
            raise Refused(
                f"version {version}: its share is 0 to 100 percent in steps of 0.1, got {weight:g}"
            )
    total = sum(weights.values())
    if abs(total - 100) > 1e-6:
        raise Refused(f"the shares have to add up to 100 percent, these make {total:g}")
    shares = {version: round(weight, 1) for version, weight in weights.items() if weight}
    if pins is None:
        pins = current[1].pins if current else {}
    settled = next(iter(shares)) if len(shares) == 1 and not pins else ""
    shadow = current[1].shadow if current else ""
    return Draft(
        shares,
        _edge_cache(current, None),
        "" if shadow == settled else shadow,
        pins,
        _fallbacks(current, settled),
    )


def shadowed(current: Current, version: str) -> Draft:
    """Draft a shadow beside what answers, or its end.

    Raises `Refused` for a version that answers everybody.
    """
    _, route = _needed(current)
    if not version and not route.shadow:
        raise Refused("there is no shadow to end")
    if route.settled and version == route.primary:
        raise Refused(f"version {version} answers everybody already; a shadow is another version")
    return Draft(route.weights, route.edge_cache, version, route.pins, route.fallbacks)


def promoted(current: Current) -> Draft:
    """Draft the version that is being tried for everybody; raise `Refused` unless there is just one."""
    _, route = _needed(current)
    # Who answered everybody is established, even where it has the smaller share by now.
    before = route.fallback.version if route.fallback and not route.settled else ""
    established = before if before in route.answering else route.primary
    tried = sorted({*route.answering, *filter(None, [route.shadow])} - {established}, key=int)
    if not tried:
        raise Refused(f"nothing to promote: version {established} is the only one that the route names")
    if len(tried) > 1:
        raise Refused(
            f"versions {', '.join(tried)} are being tried; say which one: "
            "flotilla activate MODEL VERSION"
        )
    return activated(current, tried[0])


def rolled_back(current: Current) -> Draft:
    """Draft the version that last answered everybody before; raise `Refused` where none did."""
    _, route = _needed(current)
    if route.fallback is None:
        raise Refused(f"nothing to go back to: version {route.primary} has answered from the beginning")
    version = route.fallback.version
    fallbacks = _without(route.fallbacks, version)
    return Draft({version: 100.0}, route.fallback.edge_cache, fallbacks=fallbacks)


def _needed(current: Current) -> tuple[int, Route]:
    if current is None:
        raise Refused("the model has no route yet; make one with: flotilla activate MODEL VERSION")
    return current


def _edge_cache(current: Current, asked: bool | None) -> bool:
    if asked is not None:
        return asked
    return current[1].edge_cache if current else True


def _fallbacks(current: Current, settled: str) -> tuple[Fallback, ...]:
    """Return where rollback leads once the one version `settled`, or several (""), are routed."""
    if current is None:
        return ()
    number, route = current
    past = route.fallbacks
    if route.settled:
        version = route.primary
        past = (Fallback(number, version, route.digests.get(version, ""), route.edge_cache), *past)
    return _without(past, settled)[:MOST_FALLBACKS]


def _without(fallbacks: tuple[Fallback, ...], version: str) -> tuple[Fallback, ...]:
    """Leave out what a route with this one version would return to itself by."""
    while fallbacks and fallbacks[0].version == version:
        fallbacks = fallbacks[1:]
    return fallbacks
