"""Caches: a study of unique rows measures models; what a cache answered measures something else."""

from deploy.top.cells import percent
from loadtest.study.study import Finding, Run, Settings, Verdict

CHECK = "cache"
# X-Cache of replies that no model computed, or not all of it.
CACHED = ("edge", "redis", "partial")
# Of unique rows none should be cached. A hundredth moves a peak by as much.
MARKED_BEYOND, REFUSED_BEYOND = 0.01, 0.05


def check_cache(run: Run, settings: Settings) -> Finding:
    """Mark or refuse a run of unique rows of which caches answered a share."""
    if not run.by_cache:
        return Finding(CHECK, "ok", "what caches answered is unknown: no reply says so")
    answered = {name: run.by_cache[name] for name in CACHED if run.by_cache.get(name)}
    share = sum(answered.values()) / sum(run.by_cache.values())
    by_whom = ", ".join(f"{name} {count:,}" for name, count in answered.items())
    text = f"caches answered {percent(share)} of the requests" + (f" ({by_whom})" if by_whom else "")
    if settings.shape == "repeats" or share <= MARKED_BEYOND:
        return Finding(CHECK, "ok", text)
    verdict: Verdict = "refused" if share > REFUSED_BEYOND else "marked"
    return Finding(
        CHECK, verdict, f"{text}, though each row is asked for once: numbers were used twice"
    )
