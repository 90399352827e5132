"""A plan for people: it comes in with its study and law, sentences go out, for `flotilla plan`."""

from deploy.top.cells import number, percent, seconds
from loadtest.law.bottleneck import bottlenecks
from loadtest.law.law import Law
from loadtest.law.verdict import between, caveats, so_many
from loadtest.plan.plan import MOST_REPLICAS, Plan
from loadtest.plan.usage import ONE_NGINX_CPUS
from loadtest.study.study import Study


def headline(plan: Plan) -> str:
    """Return the answer in a line."""
    target = f"{number(plan.rps)} requests/s with p99 within {plan.p99_seconds * 1e3:g} ms"
    if plan.expected.replicas is None:
        return f"{target}: no number of replicas is enough"
    low, high = plan.low.replicas, plan.high.replicas
    ends = f"{low:,} to {high:,}" if high else f"at best {low:,}, at worst no number is enough"
    where = ", extrapolated" if plan.extrapolated else ""
    return f"{target}: {so_many(plan.expected.replicas)} ({ends}{where})"


def sentences(plan: Plan, law: Law, study: Study) -> list[str]:
    """Return where the answer comes from, how far it holds, and what comes after."""
    said = [_share(plan), *_reach(plan), _ended(study, law), *caveats(law)]
    said += [*_nginx(plan), *_redis(plan)]
    return [*said, *_unknown(plan), _assumed(study)]


def _share(plan: Plan) -> str:
    value, low, high = plan.share
    where = _numbers([each.replicas for each in plan.kept])
    missed = any(each.missed is not None for each in plan.kept)
    more = f"{percent(high)} was too slow" if missed else "more wasn't tried"
    text = (
        f"Within {plan.p99_seconds * 1e3:g} ms replicas give {percent(value)} of their peak "
        f"(at least {percent(low)}; {more}), measured with {where}."
    )
    if plan.not_kept:
        text += f" With {_numbers(plan.not_kept)} no rate that was measured was slow enough."
    return text


def _reach(plan: Plan) -> list[str]:
    """Return what lies beyond what was measured, and what beyond any number of replicas."""
    said = []
    if plan.expected.replicas is None:
        fewer = "" if plan.most_replicas == MOST_REPLICAS else "; more give less"
        said.append(
            f"The most within it is {between(plan.most)} requests/s, with "
            f"{so_many(plan.most_replicas)}{fewer}."
        )
    elif plan.high.replicas is None:
        said.append(
            f"At worst the most within it is {number(plan.most.low)} requests/s, with "
            f"{so_many(plan.worst_replicas)}."
        )
    if plan.extrapolated:
        kept = max(plan.kept, key=lambda each: each.replicas)
        said.append(
            f"EXTRAPOLATED: measured were {_numbers([each.replicas for each in plan.kept])}, up to "
            f"{number(kept.rate)} requests/s within it. What is beyond is the scaling law's, with its "
            "95 % interval. A sweep with more replicas makes sure."
        )
    return said


def _ended(study: Study, law: Law) -> str:
    """Return what there would have to be more of: beyond it the law knows only that it was so."""
    most = max(law.measured)
    return f"With {so_many(most)}, the most in the law, {bottlenecks(study)[most].text}."


def _nginx(plan: Plan) -> list[str]:
    """Return how far one nginx goes, and what comes after."""
    usage = plan.usage
    if not usage.nginx_seconds:
        return []
    may = usage.nginx_quota or ONE_NGINX_CPUS
    ends = [f"{may:g} CPU at {number(may / usage.nginx_seconds)} requests/s"]
    if usage.cores and usage.cores > may:
        ends.append(
            f"all {usage.cores} cores of that host at {number(usage.cores / usage.nginx_seconds)}"
        )
    needs = plan.rps * usage.nginx_seconds
    said = (
        f"nginx takes {seconds(usage.nginx_seconds)} of CPU a request, {needs:.2g} CPUs for this rate. "
        f"It uses up {' and '.join(ends)}. "
    )
    if needs > may:
        said += f"So {may:g} CPU isn't enough: raise its limit in docker-compose.yml. "
    return [
        said
        + "It has a worker process for each core, so more CPU is the first step; then several nginx "
        "behind DNS, anycast or a cloud's load balancer."
    ]


def _redis(plan: Plan) -> list[str]:
    used = plan.usage.redis_seconds
    if not used:
        return []
    return [
        f"Redis takes {seconds(used)} a request, and one core is the most it uses: that ends at "
        f"{number(1 / used)} requests/s. Then groups of replicas get a Redis of their own (REDIS_URL)."
    ]


def _unknown(plan: Plan) -> list[str]:
    usage = plan.usage
    missing = [
        name
        for name, value in (
            ("the replicas' CPU", usage.replica_cpus),
            ("the replicas' memory", usage.replica_bytes),
            ("nginx", usage.nginx_seconds),
            ("Redis", usage.redis_seconds),
        )
        if value is None
    ]
    return [f"Not measured, and not in the figures: {', '.join(missing)}."] if missing else []


def _assumed(study: Study) -> str:
    asked = study.settings
    rows = "1 row" if asked.rows == 1 else f"{asked.rows} rows"
    cache = (
        "none seen before, so no cache helps" if asked.shape == "unique" else "repeated, so caches help"
    )
    cpus = f"{asked.cpus:g} CPU" if asked.cpus else "as much CPU as it finds"
    cpu = study.hardware.get("cpu", "an unknown processor")
    commit = study.hardware.get("commit", "unknown")
    return (
        f"Holds for {asked.model} version {asked.version}, requests of {rows} ({cache}), replicas of "
        f"{cpus} on {cpu}; from study {study.name}, commit {commit}."
    )


def _numbers(replicas: list[int]) -> str:
    return ", ".join(map(str, sorted(replicas))) + " replica" + "s" * (replicas != [1])
