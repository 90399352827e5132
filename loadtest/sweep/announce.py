"""What a sweep says before it begins: what it measures, how long that takes, where the cores end."""

from collections.abc import Iterator

from loadtest.study.study import Settings, Study
from loadtest.sweep.duration import in_words, plans

# What nginx, Redis and the generator take beside replicas that are saturated, roughly.
BESIDE_CORES = 1.0


def announcement(study: Study, cores: int) -> Iterator[str]:
    """Yield lines for a person; `cores` are the machine's."""
    settings = study.settings
    quota = f" at {settings.cpus:g} CPUs each" if settings.cpus else ""
    counts = ", ".join(map(str, settings.replicas))
    yield (
        f"{settings.model} version {settings.version} on the {settings.stack} stack: "
        f"{counts} replicas{quota}"
    )
    left = plans(study)
    for plan in left.values():
        runs = ", ".join(f"{purpose} {count}" for purpose, count in plan.runs.items() if count)
        took = f"about {in_words(plan.seconds)}" if plan.seconds else "measured already"
        yield f"  {plan.replicas:>3} replicas: {took} (runs: {runs})"
    yield f"  about {in_words(sum(each.seconds for each in left.values()))} in all"
    if sentence := where_cores_end(settings, cores):
        yield sentence


def where_cores_end(settings: Settings, cores: int) -> str:
    """Say from how many replicas on they have to share cores, nothing where all have theirs."""
    each = settings.cpus or 1.0
    short = [count for count in sorted(settings.replicas) if count * each + BESIDE_CORES > cores]
    if not short:
        return ""
    what = f"at {each:g} CPUs each" if settings.cpus else "without a quota"
    hint = "" if settings.cpus else "; in containers, --cpus gives each a share that there is enough of"
    return (
        f"{cores} cores: from {short[0]} replicas on, {what}, these, nginx, Redis and the generator "
        f"(together about {BESIDE_CORES:g} core) may need more than there are: what is measured there "
        f"can be where the machine ends{hint}."
    )
