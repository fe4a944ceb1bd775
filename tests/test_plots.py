"""The shared figures: the numbers that they show, and text that is safe to show."""

import math
import re

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled import plots

RUNGS = {"uniform": math.log(8), "bigram": math.log(4), "RNN": math.log(2)}


@pytest.fixture
def pyplot(monkeypatch):
    """matplotlib without a screen, its settings and figures put back afterwards."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    with matplotlib.rc_context():
        pyplot.switch_backend("Agg")
        yield pyplot
        pyplot.close("all")


def test_the_ladder_as_text_shows_nats_perplexity_and_bits():
    assert plots.ladder_table(RUNGS).splitlines() == [
        "model    nats/char  perplexity  bits/char",
        "uniform      2.079        8.00      3.000",
        "bigram       1.386        4.00      2.000",
        "RNN          0.693        2.00      1.000",
    ]


@given(st.dictionaries(st.text("abcdefgh ", min_size=1, max_size=20), st.floats(0.1, 9), min_size=1))
def test_columns_of_the_ladder_stand_below_each_other(rungs):
    assert len({len(line) for line in plots.ladder_table(rungs).splitlines()}) == 1


def test_the_ladder_draws_a_bar_for_each_rung_from_the_top(pyplot):
    plots.ladder(RUNGS)
    axes = pyplot.gca()
    np.testing.assert_allclose([bar.get_width() for bar in axes.patches], [3, 2, 1])
    assert [label.get_text() for label in axes.get_yticklabels()] == list(RUNGS)
    assert axes.yaxis_inverted()
    assert "3.00 bits, perplexity 8.00" in [text.get_text() for text in axes.texts]
    pyplot.gcf().canvas.draw()


def test_the_floor_of_the_ladder_is_a_line_in_bits(pyplot):
    plots.ladder(RUNGS, floor=math.log(2) / 2)
    axes = pyplot.gca()
    np.testing.assert_allclose(axes.lines[0].get_xdata(), 0.5)
    assert "entropy rate" in [text.get_text() for text in axes.texts]
    pyplot.gcf().canvas.draw()


def test_the_style_gives_curves_colours_that_all_differ(pyplot):
    plots.use_style()
    assert pyplot.rcParams["axes.prop_cycle"].by_key()["color"] == list(plots.COLOURS)
    assert len(set(plots.COLOURS)) == len(plots.COLOURS)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30), st.data())
def test_smoothing_takes_the_mean_of_each_window(values, data):
    window = data.draw(st.integers(1, len(values)))
    expected = [np.mean(values[i : i + window]) for i in range(len(values) - window + 1)]
    np.testing.assert_allclose(plots.smoothed(values, window), expected, atol=1e-12)


@pytest.mark.parametrize("window", [0, 4])
def test_a_window_wider_than_the_values_is_refused(window):
    with pytest.raises(ValueError, match=rf"1\.\.3, the number of values; received {window}"):
        plots.smoothed([1.0, 2.0, 3.0], window)


def test_coloured_text_escapes_what_html_would_read():
    page = plots.coloured_text(["<b>", "&", '"'], [1, 2, 3], unit='<"unit">')._repr_html_()
    assert re.findall(r">([^<>]+)</span>", page) == ["&lt;b&gt;", "&amp;", "&quot;"]
    assert "<b>" not in page
    assert 'title="1.00 &lt;&quot;unit&quot;&gt;"' in page


def test_shades_run_from_nothing_at_0_to_the_full_colour_at_the_highest():
    page = plots.coloured_text("abcd", [-1, 0, 2.5, 99], highest=5)._repr_html_()
    assert re.findall(r"rgba\(213,94,0,([\d.]+)\)", page) == ["0.00", "0.00", "0.42", "0.85"]


def test_coloured_text_is_plain_text_elsewhere():
    assert repr(plots.coloured_text("ab c", np.zeros(4))) == "ab c"


def test_each_token_needs_one_value():
    with pytest.raises(ValueError, match="received 3 tokens and 2 values"):
        plots.coloured_text("abc", [1.0, 2.0])


@pytest.mark.parametrize("highest", [0, -1.0, math.nan])
def test_a_full_colour_at_nothing_is_refused(highest):
    with pytest.raises(ValueError, match=f"must be more than 0; received {highest}"):
        plots.coloured_text("a", [1.0], highest=highest)
