"""All checks of a run, and of a step's runs together: what was measured comes in, findings go out.

Pure functions. A check that can't be made says so; it marks a run only where the figure depends on it.
`loadtest.sweep` calls them after each run and step.
"""

from loadtest.checks.balance import check_answered, check_balance
from loadtest.checks.cache import check_cache
from loadtest.checks.generator import check_generator
from loadtest.checks.little import check_little
from loadtest.checks.machine import check_cores, check_steal
from loadtest.checks.repetitions import check_kept, check_repetitions
from loadtest.checks.replies import check_replies
from loadtest.checks.server_counts import check_server_counts
from loadtest.checks.throttling import check_throttling
from loadtest.study.study import Finding, Run, Settings, Step


def check_run(run: Run, settings: Settings) -> list[Finding]:
    """Return what each check makes of a run, also where that is "ok", always in the same order."""
    return [
        check_replies(run, settings),
        check_little(run),
        check_generator(run),
        check_server_counts(run),
        check_balance(run),
        check_steal(run),
        check_cores(run),
        check_throttling(run, settings),
        check_cache(run, settings),
    ]


def check_step(step: Step, settings: Settings) -> list[Finding]:
    """Return what the repetitions of a step's figures say; its runs have to have their findings."""
    findings = [check_answered(step), check_repetitions(step, settings, "peak")]
    if any(each.purpose == "objective" for each in step.runs):
        findings.append(check_repetitions(step, settings, "objective"))
        findings.append(check_kept(step, settings))
    return findings
