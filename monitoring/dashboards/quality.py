"""Rows of the dashboard "Model": whether inputs have moved, and how right the answers are."""

from grafana_foundation_sdk.models import units

from monitoring.dashboards.board import Row
from monitoring.dashboards.panels import Legend, Query, bars, time_series
from monitoring.dashboards.queries import BY_VERSION, NAMED, VERSION, per_second
from monitoring.dashboards.thresholds import ACCURACIES, JS_DISTANCES, NEITHER, PSIS

PSI = f"model:flotilla_feature_psi:2m{{{VERSION}}}"
JS = f"model:flotilla_feature_js_distance:2m{{{VERSION}}}"


def published(metrics: str) -> str:
    """Return the score on the hold-out that a version was published with, where it was with one."""
    return f'max by ({BY_VERSION}) (flotilla_model_score{{{VERSION},metric=~"{metrics}"}})'


DRIFT = Row(
    "Drift: now against what the version was published with",
    height=9,
    widths=(8,),
    panels=(
        bars(
            "Features that moved most, PSI",
            "Population stability index over two minutes, the ten largest. Below 0.1 nothing has "
            "moved, from 0.25 on look at the feature. (prediction) is what the model answers.",
            unit=units.NoUnit,
            thresholds=PSIS,
            highest=0.5,
            queries=[
                Query(
                    f"sort_desc(topk(10, max by (model, version, feature) ({PSI})))",
                    NAMED + ": {{feature}}",
                )
            ],
        ),
        bars(
            "Features that moved most, Jensen-Shannon",
            "The same by Jensen-Shannon distance, from 0 (alike) to 1 (nothing in common). Empty bins "
            "don't upset it as they do PSI.",
            unit=units.NoUnit,
            thresholds=JS_DISTANCES,
            highest=0.5,
            queries=[
                Query(
                    f"sort_desc(topk(10, max by (model, version, feature) ({JS})))",
                    NAMED + ": {{feature}}",
                )
            ],
        ),
        time_series(
            "PSI over time",
            "A version's feature that moved most, and its predictions (dashed). Inputs that move "
            "without the predictions matter less.",
            unit=units.NoUnit,
            thresholds=PSIS,
            legend=Legend.LIST,
            queries=[
                Query(
                    f"max by ({BY_VERSION}) (model:flotilla_feature_psi:2m{{{VERSION},"
                    'feature!="(prediction)"})',
                    f"{NAMED}: worst feature",
                ),
                Query(
                    f"max by ({BY_VERSION}) (model:flotilla_feature_psi:2m{{{VERSION},"
                    'feature="(prediction)"})',
                    f"{NAMED}: predictions",
                    dashed=True,
                ),
            ],
        ),
    ),
)

RIGHT = Row(
    "How right it is, by feedback",
    height=8,
    widths=(8,),
    panels=(
        time_series(
            "Accuracy and F1",
            "Over an hour of feedback; F1 is the mean over classes. Dashed: the accuracy that the "
            "version was published with. Classifiers alone.",
            unit=units.PercentUnit,
            thresholds=ACCURACIES,
            legend=Legend.LIST,
            lowest=0.5,
            highest=1,
            queries=[
                Query(f"model:flotilla_accuracy:1h{{{VERSION}}}", f"{NAMED}: accuracy"),
                Query(f"model:flotilla_f1_macro:1h{{{VERSION}}}", f"{NAMED}: F1"),
                Query(published("accuracy"), f"{NAMED}: published accuracy", dashed=True),
            ],
        ),
        time_series(
            "Errors of numbers",
            "Mean absolute error and root of the mean square, over an hour of feedback, in the unit "
            "of what is predicted. RMSE far above MAE is a few large errors. Dashed: the MAE that the "
            "version was published with.",
            unit=units.Short,
            thresholds=NEITHER,
            legend=Legend.LIST,
            queries=[
                Query(f"model:flotilla_mae:1h{{{VERSION}}}", f"{NAMED}: MAE"),
                Query(f"model:flotilla_rmse:1h{{{VERSION}}}", f"{NAMED}: RMSE"),
                Query(published("mae|mean_absolute_error.*"), f"{NAMED}: published MAE", dashed=True),
            ],
        ),
        time_series(
            "Feedback",
            "What became of the labels that were sent: accepted ones count, the rest says why not.",
            unit=units.CountsPerSecond,
            thresholds=NEITHER,
            legend=Legend.LIST,
            stacked=True,
            queries=[
                Query(
                    f"{per_second('flotilla_feedback_total', VERSION, by='result')} > 0", "{{result}}"
                )
            ],
        ),
    ),
)
