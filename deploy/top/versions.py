"""The versions' part of the figures: a moment and its requests come in, `VersionFigures` go out."""

from collections import defaultdict

from deploy.top.figures import Cache, Drift, Score, VersionFigures
from deploy.top.moment import VERSION, Moment, Rates, Requests, ratio


def read_versions(moment: Moment, requests: Requests) -> tuple[VersionFigures, ...]:
    """Return the versions that are loaded, routed or asked.

    Others may have old counts: a replica goes on showing what it has counted.
    """
    which = moment.which
    engines = {
        (model, version): engine
        for model, version, engine in moment.by(f"flotilla_model_info{which}", *VERSION, "engine")
    }
    wanted = moment.by(f"max by (model, version) (flotilla_route_share{which})", *VERSION)
    rows = moment.rates("flotilla_rows_total", *VERSION)
    p50, p99 = (moment.quantile(share, *VERSION) for share in (0.5, 0.99))
    caches, scores, drifts = _cache_rows(moment), _scores(moment), _drifts(moment)

    def figures(model: str, version: str) -> VersionFigures:
        key = (model, version)
        total = requests.total(*key)
        return VersionFigures(
            model=model,
            version=version,
            engine=engines.get(key),
            share_wanted=wanted.get(key),
            share=ratio(total, sum(requests.total(*each) or 0.0 for each in of_model[model])),
            requests_per_second=total,
            rows_per_second=rows.get(key),
            p50_seconds=p50.get(key),
            p99_seconds=p99.get(key),
            error_ratio=requests.error_ratio(*key),
            cache=_cache(requests.edge_share(*key) or 0.0, caches[key]),
            score=scores.get(key),
            drift=drifts.get(key),
        )

    of_model: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for key in requests.versions:
        of_model[key[0]].append(key)
    asked = {key for key in requests.versions if requests.total(*key)}
    routed = {(model, version) for (model, version), share in wanted.items() if share > 0}
    shown = {*engines, *asked, *routed}
    return tuple(figures(*key) for key in sorted(shown, key=lambda k: (k[0], len(k[1]), k[1])))


def _cache_rows(moment: Moment) -> defaultdict[tuple[str, ...], dict[str, float]]:
    """Return the rates of rows by what the cache did for them, by version."""
    found: defaultdict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for (*key, result), rate in moment.rates("flotilla_cache_rows_total", *VERSION, "result").items():
        found[(*key,)][result] = rate
    return found


def _cache(edge: float, rows: dict[str, float]) -> Cache | None:
    """Return who answered, None where nothing was; `edge` is a share of the version's requests."""
    total = sum(rows.values())
    if not total:  # whatever wasn't kept at the edge was refused
        return Cache(1.0, 0.0, 0.0, 0.0) if edge else None

    def share(*results: str) -> float:
        return (1.0 - edge) * sum(rows.get(each, 0.0) for each in results) / total

    return Cache(edge, share("hit", "joined"), share("miss", "error"), share("bypass"))


def _scores(moment: Moment) -> dict[tuple[str, ...], Score]:
    def read(rule: str) -> Rates:
        return moment.by(f"{rule}{moment.which}", *VERSION)

    errors = {key: Score("mae", value) for key, value in read("model:flotilla_mae:1h").items()}
    right = read("model:flotilla_accuracy:1h").items()
    return errors | {key: Score("accuracy", value) for key, value in right}


def _drifts(moment: Moment) -> dict[tuple[str, ...], Drift]:
    # Two minutes of few requests are too little to compare: then an hour is, where that is enough.
    minutes, hour = (f"model:flotilla_feature_psi:{span}{moment.which}" for span in ("2m", "1h"))
    largest = f"topk by (model, version) (1, {minutes} or {hour})"
    found = moment.by(largest, *VERSION, "feature")
    return {(model, version): Drift(name, psi) for (model, version, name), psi in found.items()}
