"""What a study says of scaling: a row for each step, sentences with figures and with what is unsure."""

import pytest

from loadtest.law.bottleneck import Bottleneck
from loadtest.law.fit import fit, fit_rates
from loadtest.law.verdict import caveats, rows, sentences
from loadtest.study.study import Step
from tests.loadtest.studies import make_study, usl

FULL = {8: Bottleneck("host", 0.99, "the host's cores were 99 % busy", {})}


def peaks(*replicas: int, kappa: float = 0.006) -> list[tuple[int, float]]:
    """Return peaks by the law, two each."""
    return [(each, usl(each, 500, 0.04, kappa) * f) for each in replicas for f in (0.999, 1.001)]


def test_rows() -> None:
    """A row has a step's peak, its efficiency by hand, the law's rate and what ended it."""
    study = make_study((4, 1, 2), sigma=0.1, kappa=0, noise=0)
    study.steps.append(Step(replicas=16))
    law = fit(study)
    found = rows(study, law)
    assert [row.replicas for row in found] == [1, 2, 4]
    # 1 / (1 + 0.1 (N-1))
    assert [row.efficiency for row in found] == pytest.approx([1, 1 / 1.1, 1 / 1.3], rel=1e-3)
    assert [row.law for row in found] == [law.at(1), law.at(2), law.at(4)]
    assert all(row.counted and row.bottleneck.part == "replicas" for row in found)


def test_rows_without_a_law() -> None:
    """Where no law can be fitted the rows are there all the same."""
    assert [(row.law, row.counted) for row in rows(make_study((1, 2)), None)] == [(None, False)] * 2


def test_sentences_of_a_peak() -> None:
    """Parameters have intervals; a peak that is sure is given with what it gives."""
    said = sentences(fit_rates(peaks(1, 2, 4, 8)))
    assert said[0].startswith("One replica gives 500 (4")
    assert "contention is 4.0 % (3" in said[0]
    assert said[1].startswith("Most is given by about 13 replicas (1")
    assert said[1].endswith("More give less.")
    assert len(said) == 2


def test_sentences_without_a_peak() -> None:
    """A peak that isn't sure is not given."""
    said = sentences(fit_rates(peaks(1, 2, 4, 8, kappa=0)))
    assert said[1].startswith("No peak is seen up to 8 replicas")


def test_caveats() -> None:
    """What was left out or refused, what bent the law, and three steps are said; else nothing."""
    assert caveats(fit_rates(peaks(1, 2, 4, 8))) == []
    left, three = caveats(fit_rates(peaks(1, 2, 4), left_out=FULL))
    assert left.endswith("ended it: 8 replicas, the host's cores were 99 % busy.")
    assert three.startswith("Three numbers of replicas fit any law")
    (refused,) = caveats(fit_rates(peaks(1, 2, 4, 8), refused=[32, 16]))
    assert refused.endswith("refuse it or there is no peak: 16, 32 replicas.")
    (bent,) = caveats(fit_rates(peaks(1, 2, 4, 8), bent=FULL))
    assert bent.startswith("This machine is in the law: 8 replicas, the host's cores were 99 % busy.")
