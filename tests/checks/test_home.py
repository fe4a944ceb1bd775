"""A check at home, as learners meet it: what is left over in a cell, what asks, what never ends, what is typed in another way."""

from __future__ import annotations

import linecache
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from unrolled import checks
from unrolled.checks import CheckFailed, Interrupted, UnknownTask, check, find, observe, run
from unrolled.checks.observe import Clock, in_process
from unrolled.checks.report import as_html, as_text

RIGHT = "return np.tanh(X_t @ W_xh + H_prev @ W_hh + b_h)"
HEAD = "def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):"
STUB = f'{HEAD}\n    """Doc."""\n    raise NotImplementedError()\n'


@pytest.fixture(autouse=True)
def nothing_stands(monkeypatch):
    monkeypatch.setattr(checks, "_standing", {})


def cell(text: str, name: str = "rnn_step", number: int = 1):
    """The function that a cell defines, with the cell's lines where tracebacks look for them."""
    text = textwrap.dedent(text)
    filename = f"<light cell {number}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    names = {"np": np}
    exec(compile(text, filename, "exec"), names)
    return names[name]


def message(function, task="rnn_step"):
    return run.run(find(task), in_process(function)).message


# --- Stubs ---------------------------------------------------------------------------------------


def test_an_empty_stub_is_not_written_yet():
    assert message(cell(STUB)) == "rnn_step is not written yet."


def test_a_stubs_raise_above_the_code_is_named_with_its_line():
    said = message(cell(f"{STUB}    {RIGHT}\n"))
    assert said.startswith("Line 3 of its cell, `raise NotImplementedError()`, still stands above your code in rnn_step")


def test_a_stubs_raise_below_code_that_does_not_return_is_named_with_its_line():
    said = message(cell(f"{HEAD}\n    H_t = np.tanh(X_t @ W_xh + H_prev @ W_hh + b_h)\n    raise NotImplementedError\n"))
    assert said.startswith("Line 3 of its cell") and "without a return" in said


def test_a_raise_of_the_learners_own_inside_code_is_no_stub():
    said = message(cell(f"{HEAD}\n    if len(X_t):\n        raise NotImplementedError('batches')\n    {RIGHT}\n"))
    assert said == "rnn_step is not written yet."


def test_a_copied_stub_further_down_the_cell_is_named():
    said = message(cell(f"{HEAD}\n    {RIGHT}\n\n{STUB}"))
    assert said == (
        "One cell defines rnn_step twice: the definition in line 4 is the empty one, and it replaces yours in line 1. Delete the empty one."
    )


def test_a_copied_stub_in_a_later_cell_is_named(monkeypatch):
    monkeypatch.setattr(observe, "_cells", lambda: [STUB, f"{HEAD}\n    {RIGHT}\n"])
    assert message(cell(STUB)).startswith("A cell that ran later defines rnn_step once more, without code")


def test_a_left_line_in_a_function_that_is_called_is_named_there():
    step = cell(f"{STUB}    {RIGHT}\n")
    said = message(lambda X, H_0, *weights: step(X[0], H_0, *weights), "rnn_forward")
    assert said.startswith("rnn_forward calls rnn_step. Line 3 of its cell")


def test_a_cell_that_python_can_not_read_costs_no_check(monkeypatch):
    monkeypatch.setattr(observe, "_cells", lambda: ["rnn_step = (((", "%timeit rnn_step"])
    assert message(cell(STUB)) == "rnn_step is not written yet."


# --- Errors, questions, interrupts ---------------------------------------------------------------


def test_an_errors_text_is_cut():
    def loud(*arguments):
        raise ValueError(np.zeros((200, 200)).tolist())

    said = message(loud)
    assert "ValueError: [[0.0, 0.0" in said and "(cut: 200,412 characters)" in said and len(said) < 900


def test_an_error_that_can_not_be_written_out_is_told_by_its_type():
    class Odd(Exception):
        def __str__(self):
            raise RuntimeError

    def odd(*arguments):
        raise Odd

    assert "stopped with Odd" in message(odd)


@pytest.mark.parametrize("ask", [lambda: input("How many? "), lambda: sys.stdin.readline(), lambda: sys.stdin.read()])
def test_a_function_that_asks_is_told_that_it_can_not(ask):
    before = input, sys.stdin
    said = message(lambda *arguments: ask())
    assert "your function stopped with input(). A function can't ask while it is checked" in said
    assert (input, sys.stdin) == before


def test_an_interrupt_says_case_and_line():
    step = cell(f"import signal\n{HEAD}\n    if len(X_t) == 1:\n        signal.raise_signal(signal.SIGINT)\n    {RIGHT}\n")
    with pytest.raises(Interrupted) as stopped:
        check("rnn_step", step)
    assert stopped.value._render_traceback_() == [
        "Interrupted: rnn_step was stopped at case 7 of 8, “one sequence (N=1)” (line 4 of the cell: signal.raise_signal(signal.SIGINT))."
    ]
    assert stopped.value.__cause__ is None and stopped.value.__suppress_context__


# --- Time ----------------------------------------------------------------------------------------


def test_a_function_without_end_is_stopped_though_it_swallows_every_error(monkeypatch, capsys):
    monkeypatch.setenv("UNROLLED_CALL_SECONDS", "0.3")

    def swallows(*arguments):
        for _ in range(3):
            try:
                while True:
                    pass
            except:  # noqa: E722
                pass
        while True:
            pass

    with pytest.raises(CheckFailed):
        check("rnn_step", swallows)
    shown = capsys.readouterr().out
    assert "On the case “all terms” your function stopped with no result: a call may take 0.3 s" in shown


def test_after_a_call_without_end_no_other_is_made(monkeypatch):
    monkeypatch.setenv("UNROLLED_CALL_SECONDS", "0.2")
    calls = []

    def slow(*arguments):
        calls.append(1)
        time.sleep(5)

    assert not run.run(find("rnn_step"), in_process(slow, Clock())).passed
    assert len(calls) == 1


def test_the_clock_leaves_the_timer_and_its_handler_as_they_were():
    before = signal.getsignal(signal.SIGALRM)
    with Clock().running(10):
        pass
    assert signal.getsignal(signal.SIGALRM) == before and signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_without_a_timer_the_time_is_looked_at_when_the_call_returns(monkeypatch):
    monkeypatch.delattr(signal, "setitimer")
    monkeypatch.setenv("UNROLLED_CALL_SECONDS", "0.05")
    told = []
    seen = in_process(lambda X_t: time.sleep(0.1), Clock(lambda: told.append(1)))({"X_t": 1})
    assert seen.error_type == "TimeUp" and told == [1]


def test_a_slow_check_says_how_far_it_is(monkeypatch, capsys):
    monkeypatch.delenv("UNROLLED_PROGRESS", raising=False)
    monkeypatch.setattr(checks.watch, "FIRST_WORD", 0.2)

    def slow(X_t, H_prev, W_xh, W_hh, b_h):
        if len(X_t) == 1:
            time.sleep(0.6)
        return np.tanh(X_t @ W_xh + H_prev @ W_hh + b_h)

    check("rnn_step", slow)
    seen = capsys.readouterr()
    assert "rnn_step: case 7 of 8, “one sequence (N=1)”, " in seen.err and "s so far" in seen.err
    assert "so far" not in seen.out and "printed" not in seen.out


def test_a_quick_check_says_nothing_before_its_report(monkeypatch, capsys):
    monkeypatch.delenv("UNROLLED_PROGRESS", raising=False)
    check("rnn_step", find("rnn_step").solution)
    assert capsys.readouterr().err == ""


# --- What is typed in another way ----------------------------------------------------------------


def test_a_function_that_is_not_named_again_is_found_by_the_tasks_name(capsys):
    rnn_step = cell(f"{HEAD}\n    {RIGHT}\n")  # noqa: F841
    check("rnn_step")
    check(rnn_step)
    assert capsys.readouterr().out.count("rnn_step: all passed") == 2


def test_a_task_without_a_function_is_answered_in_one_line():
    with pytest.raises(CheckFailed, match=r'no function rnn_forward yet\. Run the cell.*check\("rnn_forward", rnn_forward\)'):
        check("rnn_forward")


def test_quotes_around_the_function_are_named(capsys):
    with pytest.raises(CheckFailed):
        check("rnn_step", "rnn_step")
    shown = " ".join(capsys.readouterr().out.split())
    assert 'write check("rnn_step", rnn_step), without quotes around the second name' in shown and "parentheses" not in shown


def test_a_result_in_place_of_the_function_is_named(capsys):
    with pytest.raises(CheckFailed):
        check("rnn_step", np.zeros(3))
    assert "without parentheses after the function's name" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", ["Rnn_Step", "rnn_stp", "rnnstep"])
def test_a_wrong_name_is_one_line_with_the_one_that_was_meant(name):
    with pytest.raises(UnknownTask) as failure:
        check(name, lambda: None)
    [line] = failure.value._render_traceback_()
    assert "did you mean “rnn_step”?" in line and "\n" not in line


# --- The report ----------------------------------------------------------------------------------


def test_a_number_where_an_array_is_due_names_the_shape():
    assert "H_t: expected a NumPy array of shape (N=8, H=4), received float 3.0." in message(lambda *arguments: 3.0)


def test_warnings_stand_apart_from_what_the_code_printed():
    def warns(*arguments):
        print("hello")
        return np.log(np.array(-1.0))

    text = as_text(run.run(find("rnn_step"), in_process(warns)))
    printed, warned = text.split("NumPy or Python warned:")
    assert "| hello" in printed and "RuntimeWarning" not in printed and "| RuntimeWarning: invalid value" in warned
    assert "NumPy or Python warned</summary>" in as_html(run.run(find("rnn_step"), in_process(warns)))


def test_the_section_to_reread_is_a_link_where_the_page_is():
    record = run.run(find("rnn_step"), in_process(lambda *arguments: 0))
    assert '<a href="https://example.org/recurrence/rnn#rnn-two-equations">“Two equations” in book/recurrence/rnn</a>' in as_html(
        record, lambda page, label: f"https://example.org/{page}#{label}"
    )
    assert "<a" not in as_html(record)


def test_a_report_links_to_the_built_page_or_to_the_site(tmp_path, monkeypatch):
    from unrolled.course import section_link

    built = tmp_path / "_build" / "html" / "book" / "gates" / "lstm.html"
    mine = tmp_path / "work" / "05-lstm"
    mine.mkdir(parents=True)
    monkeypatch.delenv("UNROLLED_SITE", raising=False)
    assert section_link("gates/lstm", "lstm-gates", mine) is None
    built.parent.mkdir(parents=True)
    built.touch()
    assert section_link("gates/lstm", "lstm-gates", mine) == "../../_build/html/book/gates/lstm.html#lstm-gates"
    monkeypatch.setenv("UNROLLED_SITE", "https://example.org/course/")
    assert section_link("gates/lstm", "lstm-gates", mine) == "https://example.org/course/book/gates/lstm.html#lstm-gates"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp932", "utf-8"])
def test_a_report_is_written_whatever_the_terminals_encoding(encoding):
    code = (
        "import numpy as np\nfrom unrolled.checks import check\n"
        "def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):\n    print('\\u2207 \\U0001f40d')\n    return X_t @ W_xh + H_prev @ W_hh.T + b_h\n"
        "check('rnn_step', rnn_step)"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert b"CheckFailed: rnn_step: 0 of 4 points" in done.stderr and b"UnicodeEncodeError" not in done.stderr
    assert "Two equations" in done.stdout.decode(encoding)


# --- The inputs of a case ------------------------------------------------------------------------


def test_the_inputs_of_the_case_that_failed_are_handed_out(capsys):
    def wrong_for_one_sequence(X_t, H_prev, W_xh, W_hh, b_h):
        return np.tanh(X_t @ W_xh + H_prev @ W_hh + b_h) + (len(X_t) == 1)

    with pytest.raises(CheckFailed):
        check("rnn_step", wrong_for_one_sequence)
    arguments = check.case("rnn_step")
    assert list(arguments) == ["X_t", "H_prev", "W_xh", "W_hh", "b_h"] and len(arguments["X_t"]) == 1
    assert wrong_for_one_sequence(**arguments).shape == arguments["H_prev"].shape
    assert "rnn_step: the case “one sequence (N=1)”" in capsys.readouterr().out


def test_each_call_hands_out_fresh_arrays():
    check.case("rnn_step", 1)["W_xh"][:] = 0
    assert np.any(check.case("rnn_step", 1)["W_xh"])


def test_a_case_is_chosen_by_name_or_number():
    for a, b in zip(check.case("rnn_step", 6).values(), check.case("rnn_step", "one sequence (N=1)").values(), strict=True):
        assert np.array_equal(a, b)


def test_a_case_that_does_not_exist_is_answered_with_those_that_do():
    with pytest.raises(ValueError, match="rnn_step has no case 99; its cases are: 1 “the input term alone"):
        check.case("rnn_step", 99)
