"""The command that lets a version's share grow while its figures are good."""

import re
import signal
from types import FrameType

import click

from deploy.commands.console import console
from deploy.errors import Refused
from deploy.local.settings import LocalSettings

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(s|m|h|)")
_UNIT_SECONDS = {"s": 1, "": 1, "m": 60, "h": 3600}
# Prometheus asks every 5 s: less than a few of its looks is no figure.
LEAST_SECONDS = 15


@click.command()
@click.argument("model")
@click.argument("version", type=click.IntRange(1))
@click.option("--steps", default="5,25,50,100", show_default=True, help="Shares in percent.")
@click.option(
    "--every", default="60s", show_default=True, help="How long each is watched: 60s, 5m, 1h."
)
@click.option(
    "--shadow/--no-shadow",
    default=True,
    show_default=True,
    help="Ask it besides where the live version answered, and compare.",
)
@click.option("--deadline", type=click.FloatRange(1), default=120.0, help="Seconds to get ready.")
@click.option("--new-signature", is_flag=True, help="Though today's requests would fail.")
@click.pass_obj
def canary(
    settings: LocalSettings,
    model: str,
    version: int,
    steps: str,
    every: str,
    shadow: bool,
    deadline: float,
    new_signature: bool,
) -> None:
    """Give VERSION of MODEL a growing share as long as its figures are good; else roll back.

    Between the steps Prometheus is asked for errors, p99, disagreement and drift of the predictions,
    compared with the live version. Limits are settings (CANARY_…, in .env.example). Ctrl-C rolls back.
    """
    import os

    from deploy.canary.canary import Canary, Plan
    from deploy.canary.verdict import PrometheusJudge, Thresholds
    from deploy.routing.rollout import Place, Terms

    plan = Plan(str(version), _shares(steps), _seconds(every), shadow)
    judge = PrometheusJudge(settings.prometheus, model, Thresholds.read(os.environ))
    place = Place(settings.registry, settings.reports, settings.url)

    def say(text: str) -> None:
        console.print(f"  {text}", soft_wrap=True, markup=False)

    signal.signal(signal.SIGTERM, _interrupt)
    Canary(place, model, plan, judge, say, Terms(deadline, new_signature)).run()
    share = plan.steps[-1]
    if share == 100:
        console.print(
            f"{model}: version {version} answers everybody. To go back: flotilla rollback {model}"
        )
    else:
        console.print(
            f"{model}: version {version} answers {share:g} % and its figures are good. "
            f"Go on with: flotilla promote {model}, or back: flotilla rollback {model}"
        )


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End as with Ctrl-C: an unwatched canary must not stay."""
    raise KeyboardInterrupt


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(each) for each in text.split(","))
    except ValueError as error:
        raise Refused(f"--steps {text}: expected percents with commas, as in 5,25,50,100") from error


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text.strip())
    seconds = float(match[1]) * _UNIT_SECONDS[match[2]] if match else 0.0
    if seconds < LEAST_SECONDS:
        raise Refused(
            f"--every {text}: expected a time of at least {LEAST_SECONDS}s, as in 60s, 5m or 1h"
        )
    return seconds
