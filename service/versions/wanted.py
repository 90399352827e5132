"""What a replica should hold: routes and wishes come in, versions by their importance go out."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from service.versions.route import Route, Staged

Key = tuple[str, str]  # model and version


class Wanted(NamedTuple):
    """Versions to hold, the most important first, and those for which there is no room."""

    held: tuple[Key, ...]
    surplus: tuple[Key, ...]


def wanted(routes: Mapping[str, Route], staged: Mapping[str, Staged], most: int) -> Wanted:
    """Choose at most `most` versions, by what they are wanted for.

    First those that answer, then shadows, then what a command wants to route; of equals those that were
    routed last come first. What rollback would return to takes the room that is left.
    """
    latest = sorted(routes.items(), key=lambda item: item[1].time, reverse=True)
    keys = list(_unique(_needed(latest, staged)))
    held, surplus = keys[:most], keys[most:]
    for model, route in latest:
        if route.fallback:
            held.append((model, route.fallback.version))
    return Wanted(tuple(_unique(held))[:most], tuple(surplus))


def _needed(latest: list[tuple[str, Route]], staged: Mapping[str, Staged]) -> Iterable[Key]:
    for model, route in latest:
        yield (model, route.primary)
        yield from ((model, version) for version in sorted(route.answering, key=int))
    yield from ((model, route.shadow) for model, route in latest if route.shadow)
    for model, wish in staged.items():
        yield from ((model, version) for version in wish.versions)


def _unique(keys: Iterable[Key]) -> Iterable[Key]:
    return dict.fromkeys(keys)
