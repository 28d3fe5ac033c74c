"""Charts: ticks, bars and curves are where arithmetic says, and texts are escaped."""

import re

import pytest

from drugai.reports.svg import Frame, histogram, lines, parity, roc, roc_points, ticks


def test_ticks_are_round_numbers_within_the_range():
    assert ticks(0.0, 1.0) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(4.27, 9.22) == [5.0, 6.0, 7.0, 8.0, 9.0]
    assert ticks(-3.0, 12.0) == [0.0, 5.0, 10.0]


def test_ticks_of_an_empty_range_do_not_loop():
    assert ticks(2.0, 2.0) == [2.0]


def test_the_ends_of_a_frame_are_its_margins():
    frame = Frame(500, 200, (0.0, 10.0), (0.0, 1.0))
    assert frame.px(0.0) == frame.left
    assert frame.px(10.0) == 500 - frame.right
    assert frame.py(0.0) == 200 - frame.bottom
    assert frame.py(1.0) == frame.top


def test_a_histogram_has_a_bar_for_each_bin_that_is_not_empty_and_marks_the_cut():
    svg = histogram([0, 0.5, 1.0], [9, 3], hits=[0, 2], cut=0.6, x_label="total")
    assert len(re.findall(r'class="bar"', svg)) == 2
    assert len(re.findall(r'class="bar hit"', svg)) == 1
    assert "hits from 0.600" in svg
    assert "12 molecules, 2 of them hits" in svg


def test_a_histogram_of_one_molecule_shows_it_on_the_logarithmic_axis():
    assert 'class="bar"' in histogram([0, 1], [1], x_label="total")


def test_a_parity_plot_has_a_dot_for_each_pair_and_leaves_out_missing_ones():
    svg = parity([1.0, 2.0, float("nan")], [1.1, 2.2, 3.0], unit="log mol/L", name="logS", std=[0.1, 0.0, 0.2])
    assert svg.count('class="dot"') == 2
    assert svg.count('class="error"') == 1
    assert "measured logS [log mol/L]" in svg


def test_roc_points_of_a_perfect_ranking_go_up_before_they_go_right():
    assert roc_points([1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1]) == ([0.0, 0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0, 1.0])


def test_equal_scores_are_one_step_of_a_roc_curve():
    assert roc_points([1, 0], [0.5, 0.5]) == ([0.0, 1.0], [0.0, 1.0])


def test_a_roc_curve_of_one_class_is_the_diagonal():
    assert roc_points([1, 1], [0.5, 0.7]) == ([0.0, 1.0], [0.0, 1.0])


@pytest.mark.parametrize("draw", [lambda name: roc({name: ([1, 0], [0.7, 0.2])}), lambda name: lines({name: ([0, 1], [1.0, float("nan")])}, x_label=name, y_label="loss")])
def test_names_in_charts_are_escaped(draw):
    svg = draw("<script>alert(1)</script>")
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg
