"""Where a machine's cores end: settings come in, a sentence goes out if replicas will lack some."""

from loadtest.study.study import Settings

# What nginx, Redis and the generator take beside replicas that are saturated, roughly.
BESIDE_CORES = 1.0


def where_cores_end(settings: Settings, cores: int) -> str:
    """Say from how many replicas on they have to share cores, nothing where all have theirs."""
    each = settings.cpus or 1.0
    short = [count for count in sorted(settings.replicas) if count * each + BESIDE_CORES > cores]
    if not short:
        return ""
    what = f"at {each:g} CPUs each" if settings.cpus else "without a quota"
    hint = "" if settings.cpus else "; in containers, --cpus gives each a share that there is enough of"
    return (
        f"{cores} cores: from {short[0]} replicas on, {what}, they, nginx, Redis and the generator "
        f"(about {BESIDE_CORES:g} core) need more than there are. What is measured there is where the "
        f"machine ends{hint}."
    )
