"""What two studies don't share: they come in, what forbids a comparison goes out, and the rest."""

from loadtest.study.study import Study

# What has to be the same, or figures say nothing of what was changed.
SETTINGS = ("stack", "model", "cpus", "rows", "shape")
HARDWARE = ("cpu", "cores", "memory")
ALSO_SETTINGS = ("objective_seconds", "objective_share", "run_seconds", "processes", "connections")
VARIES = ("load before",)  # at any time


def differences(before: Study, after: Study) -> tuple[list[str], list[str]]:
    """Return what makes figures those of two things, and what else is another: a sentence each."""
    grave: list[str] = []
    light: list[str] = []
    for names, into in ((SETTINGS, grave), (ALSO_SETTINGS, light)):
        for name in names:
            first, second = (getattr(each.settings, name, None) for each in (before, after))
            if first != second:
                into.append(f"other {name}: {first} and {second}")
    for name in sorted({*before.hardware, *after.hardware} - {*VARIES}):
        first, second = (each.hardware.get(name) for each in (before, after))
        if first != second:
            into = grave if name in HARDWARE else light
            into.append(f"other {name}: {first or 'unknown'} and {second or 'unknown'}")
    for one, other in ((before, after), (after, before)):
        alone = sorted({step.replicas for step in one.steps} - {step.replicas for step in other.steps})
        if alone:
            light.append(f"only {one.name} has {', '.join(map(str, alone))} replicas")
    return grave, light
