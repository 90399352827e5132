"""Commands that change which versions answer: activate, split, shadow, promote, rollback."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from deploy.commands.console import console
from deploy.errors import Refused
from deploy.local.settings import LocalSettings

if TYPE_CHECKING:
    from deploy.routing.rollout import Change, Make, Terms


def changing(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all changes of a route have, as `reason` and `terms`."""

    @click.option("--reason", default="", help="Kept in the route's history.")
    @click.option(
        "--deadline",
        type=click.FloatRange(1),
        default=120.0,
        show_default=True,
        help="Seconds for every replica to get ready; else nothing changes.",
    )
    @click.option("--new-signature", is_flag=True, help="Though today's requests would fail.")
    @click.option("--no-wait", is_flag=True, help="Don't wait for replicas, don't look from outside.")
    @functools.wraps(command)
    def with_terms(
        *words: Any, deadline: float, new_signature: bool, no_wait: bool, **more: Any
    ) -> None:
        from deploy.routing.rollout import Terms

        command(*words, terms=Terms(deadline, new_signature, not no_wait), **more)

    return with_terms


def change(
    settings: LocalSettings, model: str, make: "Make", command: str, reason: str, terms: "Terms"
) -> "Change":
    """Change a route, say each step on the console, and at last what holds now."""
    from deploy.routing.rollout import Place, change_route

    place = Place(settings.registry, settings.reports, settings.url)

    def say(text: str) -> None:
        console.print(f"  {text}", soft_wrap=True, markup=False)

    made = change_route(place, model, make, command, reason, say, terms)
    console.print(f"{model}: {describe(made)}", soft_wrap=True, markup=False)
    return made


def describe(made: "Change") -> str:
    """Say what a change has made of a route."""
    route = made.route
    shares = [f"version {version} answers {share:g} %" for version, share in route.weights.items()]
    words = [f"version {route.primary} answers everybody"] if len(shares) == 1 else shares
    words += [f"key {key} gets version {version}" for key, version in route.pins.items()]
    if route.shadow:
        words.append(f"version {route.shadow} is its shadow")
    elif made.before and made.before.shadow:
        words.append("no shadow any more")
    if made.before and made.before.pins and not route.pins:
        words.append("no pinned keys any more")
    words.append("nginx keeps answers" if route.edge_cache else "nginx keeps no answers")
    return f"{'; '.join(words)} (route {made.number}, {made.seconds:.1f} s)"


@click.command()
@click.argument("model")
@click.argument("version", type=click.IntRange(1))
@click.option(
    "--edge-cache/--no-edge-cache",
    default=None,
    help="Whether nginx may keep its answers.  [default: as it is; at first, on]",
)
@changing
@click.pass_obj
def activate(
    settings: LocalSettings,
    model: str,
    version: int,
    edge_cache: bool | None,
    reason: str,
    terms: "Terms",
) -> None:
    """Let VERSION of MODEL answer everybody, once every replica holds it.

    What was being tried ends: shares, pinned keys and a shadow.
    """
    from deploy.routing.changes import activated

    number = str(version)
    make: Make = lambda current: activated(current, number, edge_cache)  # noqa: E731
    change(settings, model, make, "activate", reason, terms)


@click.command()
@click.argument("model")
@click.argument("shares", nargs=-1, required=True, metavar="VERSION=PERCENT...")
@click.option("--pin", "pins", multiple=True, metavar="KEY=VERSION", help="Version for one client key.")
@click.option("--no-pins", is_flag=True, help="Forget the keys that are pinned.")
@changing
@click.pass_obj
def split(
    settings: LocalSettings,
    model: str,
    shares: Sequence[str],
    pins: Sequence[str],
    no_pins: bool,
    reason: str,
    terms: "Terms",
) -> None:
    """Share the requests for MODEL between versions, as in: split digits 1=90 2=10.

    In steps of 0.1 percent. A client stays on its version: its key is the header X-Client-ID, else its
    address. A key that is pinned gets its version in any case (--pin qa=2); the others share the rest.
    """
    from deploy.routing.changes import split as shared

    weights = _numbered(shares, "a share is VERSION=PERCENT")
    pinned = _pinned(pins) if pins or no_pins else None
    change(settings, model, lambda current: shared(current, weights, pinned), "split", reason, terms)


@click.command()
@click.argument("model")
@click.argument("version", type=click.IntRange(1), required=False)
@click.option("--off", is_flag=True, help="End the shadow.")
@changing
@click.pass_obj
def shadow(
    settings: LocalSettings,
    model: str,
    version: int | None,
    off: bool,
    reason: str,
    terms: "Terms",
) -> None:
    """Ask VERSION of MODEL besides, after each answer, and count how often it differs.

    Clients notice nothing of it. The metric is flotilla_shadow_rows_total.
    """
    from deploy.routing.changes import shadowed

    if off == (version is not None):
        raise click.UsageError("say which VERSION is the shadow, or --off")
    number = "" if version is None else str(version)
    change(settings, model, lambda current: shadowed(current, number), "shadow", reason, terms)


@click.command()
@click.argument("model")
@changing
@click.pass_obj
def promote(settings: LocalSettings, model: str, reason: str, terms: "Terms") -> None:
    """Let the version of MODEL that is tried, by a share, a pin or as shadow, answer everybody."""
    from deploy.routing.changes import promoted

    change(settings, model, promoted, "promote", reason, terms)


@click.command()
@click.argument("model")
@changing
@click.pass_obj
def rollback(settings: LocalSettings, model: str, reason: str, terms: "Terms") -> None:
    """Let the version of MODEL answer everybody that did so before; again, to go further back."""
    from deploy.routing.changes import rolled_back

    # Whatever its signature: its clients were content with it.
    change(settings, model, rolled_back, "rollback", reason, replace(terms, new_signature=True))


def _numbered(pairs: Sequence[str], expected: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for pair in pairs:
        version, _, number = pair.partition("=")
        try:
            share = float(number)
        except ValueError:
            share = float("nan")
        if not version.isdecimal() or version.startswith("0") or share != share or version in found:
            raise Refused(f"{pair}: {expected}, each version once")
        found[version] = share
    return found


def _pinned(pairs: Sequence[str]) -> dict[str, str]:
    from deploy.routing.changes import PINNED_KEY

    found = {}
    for pair in pairs:
        key, _, version = pair.rpartition("=")
        if not PINNED_KEY.fullmatch(key) or not version.isdecimal() or version.startswith("0"):
            raise Refused(f"--pin {pair}: expected KEY=VERSION, a key of letters, digits and ._:-")
        found[key] = version
    return found
