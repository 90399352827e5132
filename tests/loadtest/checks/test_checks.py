"""All checks together: a sound study passes them, and each name that is promised is there."""

from loadtest.checks import check_run, check_step
from loadtest.study.study import GeneratorUse, Run, Step
from tests.loadtest.studies import make_study

RUN_CHECKS = ["replies", "little", "generator", "server counts", "balance"]
RUN_CHECKS += ["steal", "cores", "throttling", "cache"]


def test_a_sound_study_passes() -> None:
    """With or without a quota nothing is found in runs and steps in which all is well."""
    for cpus in (0.2, None):
        study = make_study(cpus=cpus)
        for step in study.steps:
            for run in step.runs:
                findings = check_run(run, study.settings)
                assert [each.check for each in findings] == RUN_CHECKS
                assert {each.verdict for each in findings} == {"ok"}, findings
            findings = check_step(step, study.settings)
            assert {each.verdict for each in findings} == {"ok"}, findings


def test_a_run_of_nothing() -> None:
    """A run to which nothing is known is refused and breaks no check."""
    nothing = Run(
        purpose="peak",
        loop="open",
        repetition=1,
        started=0.0,
        seconds=0.0,
        connections=1,
        rate=100.0,
        sent=0,
        ok=0,
        generator=GeneratorUse(processes=1, cpu_seconds=0.0, busiest_share=0.0),
    )
    study = make_study((1,))
    findings = check_run(nothing, study.settings)
    assert [each.check for each in findings] == RUN_CHECKS
    nothing.findings = findings
    assert nothing.verdict == "refused"
    step = Step(replicas=1, runs=[nothing])
    assert {each.verdict for each in check_step(step, study.settings)} >= {"refused"}
    assert {each.verdict for each in check_step(Step(replicas=1), study.settings)} >= {"refused"}


def test_a_step_without_an_objective() -> None:
    """A step that no rate kept the objective in isn't reproached with it; its peak counts."""
    study = make_study((1,))
    study.steps[0].runs = [each for each in study.steps[0].runs if each.purpose == "peak"]
    findings = check_step(study.steps[0], study.settings)
    assert [each.check for each in findings] == ["balance", "repetitions"]
    assert {each.verdict for each in findings} == {"ok"}
