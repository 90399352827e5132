"""From where on a value is worth a look or an action, and the numbers that several panels share.

Colours mean the same everywhere: green is as wanted, yellow is worth a look, red needs somebody.
"""

from dataclasses import dataclass

from service.settings import Settings

GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"


@dataclass(frozen=True)
class Thresholds:
    """Colours by value: `base` below the first step, then each step's colour from its value on."""

    base: str
    steps: tuple[tuple[float, str], ...] = ()


def bad_above(warning: float, alert: float) -> Thresholds:
    """Return yellow from `warning` on and red from `alert` on."""
    return Thresholds(GREEN, ((warning, YELLOW), (alert, RED)))


def bad_below(alert: float, warning: float) -> Thresholds:
    """Return red below `alert` and yellow below `warning`."""
    return Thresholds(RED, ((alert, YELLOW), (warning, GREEN)))


# Neither much nor little of it is good or bad.
NEITHER = Thresholds(BLUE)
# What mustn't happen at all, and what must always be so: counts, and 0 or 1.
NEVER = Thresholds(GREEN, ((1, RED),))
ALWAYS = Thresholds(RED, ((1, GREEN),))

# A rule of thumb of credit scoring: below 0.1 nothing has moved, above 0.25 a model is to be looked at.
# N. Siddiqi, Credit Risk Scorecards, 2006.
PSI_ALERTS = 0.25
PSIS = bad_above(0.1, PSI_ALERTS)
# The same in Jensen-Shannon distance (base 2): for small shifts the divergence is PSI / 8 in nats.
JS_DISTANCES = bad_above(0.13, 0.21)
# Of all requests: one in a thousand is what the objective of availability leaves.
ERRORS = bad_above(0.001, 0.01)
LATENCIES = bad_above(0.1, 0.5)
# Beyond this share of a core or of a limit there is little left for the next peak.
SHARES = bad_above(0.7, 0.9)
# Rows that wait; beyond the second number they are refused, with the default of MAX_QUEUE_ROWS.
QUEUE = bad_above(Settings.max_queue_rows / 2, Settings.max_queue_rows)
# Shares of answers that are right, and of rows on which two versions agree.
ACCURACIES = bad_below(0.7, 0.85)
AGREEMENTS = bad_below(0.9, 0.98)
