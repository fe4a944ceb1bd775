"""What a check says of a wrong function, on the tasks of assignment 02."""

from __future__ import annotations

import numpy as np
import pytest
from honest.rnn_forward import forward_hoisted, step_by_concatenation

from unrolled.checks import TASKS, CheckFailed, check, find
from unrolled.checks import run as checks_run


def test_unknown_task_lists_the_tasks():
    with pytest.raises(ValueError, match="did you mean “rnn_step”") as failure:
        find("rnn_stepp")
    assert all(name in str(failure.value) for name in TASKS)


@pytest.mark.parametrize("value", [None, 3, np.zeros((2, 2)), "one_hot"], ids=["None", "number", "array", "string"])
def test_what_is_no_function_is_refused_with_the_line_to_write(value, capsys):
    with pytest.raises(CheckFailed):
        check("one_hot", value)
    shown = capsys.readouterr().out
    assert "Expected the function one_hot(ids, V)" in shown and 'check("one_hot", one_hot)' in " ".join(shown.split())


def test_unwritten_function_fails_with_one_line(capsys):
    def one_hot(ids, V):
        raise NotImplementedError()

    with pytest.raises(CheckFailed) as failure:
        check("one_hot", one_hot)
    assert len(failure.value._render_traceback_()) == 1
    assert "\n" not in str(failure.value)


def test_message_names_step_sequence_and_unit(judge):
    def wrong_from_the_fourth_step(X, H_0, W_xh, W_hh, b_h):
        H = forward_hoisted(X, H_0, W_xh, W_hh, b_h)
        H[3:, 1:2, 1] += 1
        return H

    message = judge(find("rnn_forward"), wrong_from_the_fourth_step).message
    assert "H first differs at step 4 of " in message and "H[3] in code" in message
    assert "sequence n=1" in message and "unit h=1" in message


def test_message_for_one_step_names_sequence_and_unit_without_a_time(judge):
    def wrong(X_t, H_prev, W_xh, W_hh, b_h):
        H_t = step_by_concatenation(X_t, H_prev, W_xh, W_hh, b_h)
        H_t[-1, 0] += 1
        return H_t

    message = judge(find("rnn_step"), wrong).message
    assert "unit h=0" in message and "sequence n=" in message and "step" not in message


def test_message_names_the_token_of_a_wrong_logit(judge):
    def wrong(H, W_hq, b_q):
        logits = H @ W_hq + b_q
        logits[0, 0, 1] -= 2
        return logits

    message = judge(find("output_logits"), wrong).message
    assert "first differs at step 1 of " in message and "sequence n=0" in message and "token v=1" in message


def test_wrong_shape_is_told_with_the_names_of_the_axes(judge):
    message = judge(find("rnn_forward"), lambda X, *rest: forward_hoisted(X, *rest)[-1]).message
    assert "expected shape (T=" in message and "H=" in message


def test_error_of_a_learner_is_told_with_its_line(judge):
    def broken(ids, V):
        return ids @ np.zeros(999)

    message = judge(find("one_hot"), broken).message
    assert "ValueError" in message and "return ids @ np.zeros(999)" in message


def test_changed_input_is_named(judge):
    def careless(X, H_0, W_xh, W_hh, b_h):
        H = forward_hoisted(X, H_0, W_xh, W_hh, b_h)
        b_h += 1
        return H

    record = judge(find("rnn_forward"), careless)
    assert record.points == 0 and "changed its input b_h" in record.message


def test_a_function_that_calls_an_unwritten_one_is_told_which():
    def rnn_step(*arguments):
        raise NotImplementedError()

    def rnn_forward(X, H_0, *weights):
        return np.stack([rnn_step(X_t, H_0, *weights) for X_t in X])

    record = checks_run.run(find("rnn_forward"), checks_run.in_process(rnn_forward))
    assert record.message == "rnn_step is not written yet; rnn_forward calls it."


def test_a_named_tuple_is_reported_by_its_form(judge):
    from collections import namedtuple

    Pair = namedtuple("Pair", "H last")
    record = judge(find("rnn_forward"), lambda X, H_0, *weights: Pair(X, H_0))
    assert "expected a NumPy array of shape (T=8, N=6, H=7), received a tuple of 2" in record.message


def test_a_list_that_holds_itself_is_an_error_of_the_function_and_not_of_the_check(judge):
    def endless(*arguments):
        result = []
        result.append(result)
        return result

    record = judge(find("rnn_forward"), endless)
    assert record.points == 0 and "RecursionError" in record.message


def test_a_function_that_quits_is_reported(judge):
    def quits(*arguments):
        raise SystemExit("done")

    record = judge(find("rnn_forward"), quits)
    assert record.points == 0 and "SystemExit: done" in record.message
