"""The plots: pictures of the size that is shown, with marks for what doesn't count."""

import io

import pytest
from matplotlib.figure import Figure
from PIL import Image

from loadtest.report.balance import balance, parts
from loadtest.report.latency import against_rate, against_replicas
from loadtest.report.law import law_of
from loadtest.report.plot import RED, Plot
from loadtest.report.plots import plots
from loadtest.report.steps import step_figures
from loadtest.report.throughput import throughput
from loadtest.report.timeline import timelines
from loadtest.study.study import Event, Finding, Server, Study
from tests.loadtest.report.odd_studies import all_lost, one_step, without_open_loop, without_server
from tests.loadtest.studies import make_study


def texts(plot: Plot | None) -> list[str]:
    """Return what a plot's axes have in their legends and titles."""
    assert plot
    figure = Figure()
    plot.draw(figure)
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return legends + [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]


def throughput_of(study: Study) -> Plot | None:
    """Return the main plot."""
    return throughput(study, step_figures(study), law_of(study)[0])


def test_pictures_are_sharp_and_not_blank() -> None:
    """Each is a PNG of 150 dots an inch, with more than a ground in it."""
    study = make_study()
    for plot in plots(study, step_figures(study), law_of(study)[0]):
        with Image.open(io.BytesIO(plot.png())) as picture:
            assert picture.width == round(plot.inches[0] * 150), plot.name
            assert len(picture.convert("RGB").getcolors(maxcolors=1_000_000)) > 10, plot.name


def test_svg_has_variables_instead_of_colours() -> None:
    """A colour of the palette is the page's to choose, so that a dark page has a dark plot."""
    svg = throughput_of(make_study())
    assert svg
    content = svg.svg()
    assert "var(--blue)" in content
    assert "#0072b2" not in content


def test_law_and_ideal_are_drawn_where_there_is_a_law() -> None:
    """Three steps and more have a law; one step has none, and the caption says so."""
    assert "scaling law (USL), 95 % band" in texts(throughput_of(make_study()))
    alone = throughput_of(one_step())
    assert alone
    assert "scaling law (USL), 95 % band" not in texts(alone)
    assert "No law was fitted." in alone.caption


def test_refused_runs_are_drawn_apart() -> None:
    """What doesn't count is still seen, as something else; where all count there is no such mark."""
    study = make_study()
    assert "refused: it doesn't count" not in texts(throughput_of(study))
    study.steps[1].runs[1].findings = [Finding("steal", "refused", "a third was stolen")]
    assert "refused: it doesn't count" in texts(throughput_of(study))
    assert RED not in throughput_of(study).svg()  # type: ignore[union-attr]  # a variable by then


def test_steps_that_the_host_ended_are_drawn_apart() -> None:
    """A step that the law leaves out is seen to be no evidence for or against it."""
    study = make_study((1, 2, 4, 8))
    assert "not in the law" not in texts(throughput_of(study))
    for run in study.steps[3].runs:
        run.generator = type(run.generator)(processes=1, cpu_seconds=9.9, busiest_share=0.99)
        assert run.server.parts
        for name, part in run.server.parts.items():
            run.server.parts[name] = type(part)(cpu_seconds=0.1, memory_bytes=1)
    assert "not in the law" in texts(throughput_of(study))


def test_each_number_of_replicas_has_a_panel() -> None:
    """Latency against the rate has one panel a step, however many there are, with the objective."""
    shown = texts(against_rate(make_study(tuple(range(1, 17)))))
    assert [each for each in shown if "replica" in each][-1] == "16 replicas"
    assert len([each for each in shown if "replica" in each]) == 16
    assert "objective: p99 within 50 ms" in shown


def test_no_open_loop_no_plot_of_latency() -> None:
    """Latencies of a closed loop are nobody's: they aren't drawn instead."""
    study = without_open_loop()
    assert against_rate(study) is None
    assert against_replicas(study) is None
    assert throughput_of(study)


def test_balance_shows_a_replica_that_got_nothing() -> None:
    """By the replicas' counts, or by the replies alone, a replica without requests is one with 0."""
    study = make_study((2,))
    step = study.steps[0]
    assert parts(step) == pytest.approx({"replica-1": 1.0, "replica-2": 1.0}, abs=0.001)
    for run in step.runs:
        run.server, run.by_replica = Server(), {"replica-1": 100}
    assert sorted(parts(step).values()) == [0.0, 2.0]
    assert "a replica that got no request" in texts(balance(study))


def test_balance_of_nobodys_counts_is_not_drawn() -> None:
    """Where nobody counted, an even picture would be an invention."""
    assert balance(without_server()) is None
    assert balance(all_lost()) is None


def test_timeline_tells_what_happened() -> None:
    """Events are in the caption with their seconds; a run's begin is its ground, and no event."""
    study = make_study((1,))
    step = study.steps[0]
    step.events.append(Event(step.runs[0].started, "saturation 1: 12 connections"))
    [plot] = timelines(study)
    assert "1: scaled to 1 (0 s); 2: ready (3 s)." in plot.caption
    assert "12 connections" not in plot.caption
    assert "looking for saturation" in texts(plot)


def test_timeline_shows_failures_only_where_there_are_some() -> None:
    """A line for failed replies means that some failed."""
    study = make_study((1,))
    assert "failed" not in texts(timelines(study)[0])
    second = study.steps[0].runs[0].by_second[0]
    study.steps[0].runs[0].by_second[0] = type(second)(second.ok, 3, second.latency)
    assert "failed" in texts(timelines(study)[0])
