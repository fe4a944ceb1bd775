"""The checks of assignment 02: known mistakes are named, honest solutions pass, empty answers earn nothing."""

from __future__ import annotations

import json
import math
import sys
import warnings

import numpy as np
import pytest

from unrolled.checks import TASKS, CheckFailed, check, find
from unrolled.checks import run as checks_run
from unrolled.checks.report import as_html, as_text
from unrolled.checks.tasks import rnn_forward as module

SEEDS = (checks_run.PUBLIC_SEED, 1, 7, 123_456)
BY_NAME = {task.name: task for task in module.TASKS}
MISTAKES = [pytest.param(task, mistake, id=f"{task.name}-{mistake.name}") for task in module.TASKS for mistake in task.mistakes]
EVERY_TASK = pytest.mark.parametrize("task", module.TASKS, ids=lambda task: task.name)
ARRAY_TASKS = pytest.mark.parametrize(
    "task", [task for task in module.TASKS if task.outputs[0].kind != "int"], ids=lambda task: task.name
)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("task, mistake", MISTAKES)
def test_known_mistake_is_caught_and_named(judge, task, mistake, seed):
    record = judge(task, mistake.function, seed)
    assert not record.passed
    assert mistake.name in record.mistakes
    assert mistake.sentence in record.diagnosis


@EVERY_TASK
def test_known_mistakes_of_a_task_have_names_of_their_own(task):
    names = [mistake.name for mistake in task.mistakes]
    assert len(names) == len(set(names))


# --- Answers without work ----------------------------------------------------------------------


def _empty(value):
    """A function that answers every call with the shape of the truth, filled with `value`."""

    def of(task):
        def answer(*arguments):
            truth = task.solution(*arguments)
            return np.full(truth.shape, value) if isinstance(truth, np.ndarray) else value

        return answer

    return of


@EVERY_TASK
@pytest.mark.parametrize("value", [0.0, math.nan, math.inf], ids=["zeros", "nan", "inf"])
@pytest.mark.parametrize("seed", SEEDS)
def test_answer_that_is_one_number_everywhere_earns_nothing(judge, task, value, seed):
    assert judge(task, _empty(value)(task), seed).points == 0


@EVERY_TASK
@pytest.mark.parametrize("seed", SEEDS)
def test_echoed_argument_earns_nothing(judge, task, seed):
    for position in range(len(task.arguments)):
        assert judge(task, lambda *arguments, i=position: arguments[i], seed).points == 0


@EVERY_TASK
def test_integer_zero_earns_nothing(judge, task):
    assert judge(task, lambda *arguments: 0).points == 0


# --- Right answers, however they are written ---------------------------------------------------


@EVERY_TASK
def test_solution_passes_over_fifty_seeds(judge, model_answers, task):
    for seed in range(50):
        for function in (task.solution, model_answers[task.name]):
            record = judge(task, function, seed)
            assert record.passed and record.points == task.points, as_text(record)


def one_hot_by_loops(ids, V):
    X = np.zeros((*ids.shape, V))
    for t in range(ids.shape[0]):
        for n in range(ids.shape[1]):
            X[t, n, int(ids[t, n])] = 1
    return X


def one_hot_in_a_view(ids, V):
    wide = np.zeros((*ids.shape, 2 * V))
    wide[..., ::2] = np.eye(V)[ids]
    return wide[..., ::2]


def step_by_concatenation(X_t, H_prev, W_xh, W_hh, b_h):
    return np.tanh(np.hstack([X_t, H_prev]) @ np.vstack([W_xh, W_hh]) + b_h)


def step_row_by_row(X_t, H_prev, W_xh, W_hh, b_h):
    return np.stack([np.tanh(W_xh.T @ x + W_hh.T @ h + b_h) for x, h in zip(X_t, H_prev)])


def step_by_exponentials(X_t, H_prev, W_xh, W_hh, b_h):
    return 2 / (1 + np.exp(-2 * (X_t @ W_xh + H_prev @ W_hh + b_h))) - 1


def forward_in_one_array(X, H_0, W_xh, W_hh, b_h):
    T, N, _ = X.shape
    H = np.empty((T + 1, N, len(b_h)))
    H[0] = H_0
    for t in range(T):
        H[t + 1] = step_by_concatenation(X[t], H[t], W_xh, W_hh, b_h)
    return H[1:]


def forward_hoisted(X, H_0, W_xh, W_hh, b_h):
    Z, states = np.einsum("tnd,dh->tnh", X, W_xh) + b_h, [H_0]
    for Z_t in Z:
        states.append(np.tanh(Z_t + states[-1] @ W_hh))
    return np.array(states[1:])


def forward_by_recursion(X, H_0, W_xh, W_hh, b_h):
    if not len(X):
        return np.empty((0, *H_0.shape))
    H_t = step_by_concatenation(X[0], H_0, W_xh, W_hh, b_h)
    return np.concatenate([H_t[None], forward_by_recursion(X[1:], H_t, W_xh, W_hh, b_h)])


def forward_batch_first_inside(X, H_0, W_xh, W_hh, b_h):
    H = np.zeros((X.shape[1], X.shape[0], len(b_h)))
    for n in range(X.shape[1]):
        h = H_0[n].copy()
        for t in range(X.shape[0]):
            h[:] = np.tanh(X[t, n] @ W_xh + h @ W_hh + b_h)  # in place, on its own copy
            H[n, t] = h
    return H.swapaxes(0, 1)  # a view that is not contiguous


def loss_by_loops(logits, Y):
    total = 0.0
    for row, y in zip(logits.reshape(-1, logits.shape[-1]), Y.reshape(-1)):
        largest = max(row)
        total += largest + math.log(sum(math.exp(o - largest) for o in row)) - row[y]
    return total / Y.size


def loss_by_logaddexp(logits, Y):
    picked = np.take_along_axis(logits, Y[..., None], axis=-1)[..., 0]
    return np.mean(np.logaddexp.reduce(logits, axis=-1) - picked)  # np.float64


def loss_by_indices(logits, Y):
    T, N, _ = logits.shape
    logits = logits.copy()
    logits -= logits.max(axis=-1, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(-1))[:, :, None]
    return -np.asarray(log_probs[np.arange(T)[:, None], np.arange(N), Y].sum() / (T * N))  # 0-d array


def loss_by_one_hot(logits, Y):
    shifted = logits - np.max(logits, axis=2)[..., np.newaxis]
    log_probs = shifted - np.log(np.sum(np.exp(shifted), axis=2, keepdims=True))
    return -(np.eye(logits.shape[2])[Y] * log_probs).sum(axis=2).mean().item()


def logits_by_loops(H, W_hq, b_q):
    logits = []
    for H_t in H:
        logits.append(np.array([W_hq.T.dot(h) + b_q for h in H_t]))
    return np.stack(logits)


HONEST = {
    "one_hot": [
        one_hot_by_loops, one_hot_in_a_view,
        lambda ids, V: np.eye(V)[ids],
        lambda ids, V: (ids[..., None] == np.arange(V)).astype(float),
        lambda ids, V: np.asfortranarray(np.eye(V)[ids]),
        lambda ids, V: np.eye(V).take(ids.ravel(), axis=0).reshape(*ids.shape, V),
    ],
    "rnn_step": [
        step_by_concatenation, step_row_by_row, step_by_exponentials,
        lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(
            np.einsum("nd,dh->nh", X_t, W_xh) + np.einsum("nk,kh->nh", H_prev, W_hh) + b_h[None, :]),
        lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(W_xh.T @ X_t.T + W_hh.T @ H_prev.T + b_h[:, None]).T,
        lambda X_t, H_prev, W_xh, W_hh, b_h: np.asfortranarray(np.tanh(np.dot(X_t, W_xh) + np.dot(H_prev, W_hh) + b_h)),
    ],
    "rnn_forward": [forward_in_one_array, forward_hoisted, forward_by_recursion, forward_batch_first_inside],
    "output_logits": [
        logits_by_loops,
        lambda H, W_hq, b_q: np.einsum("tnh,hv->tnv", H, W_hq) + b_q,
        lambda H, W_hq, b_q: np.tensordot(H, W_hq, axes=([2], [0])) + b_q.reshape(1, 1, -1),
        lambda H, W_hq, b_q: (H.reshape(-1, H.shape[2]) @ W_hq + b_q).reshape(*H.shape[:2], -1),
        lambda H, W_hq, b_q: np.asfortranarray(np.matmul(H, W_hq) + b_q),
    ],
    "cross_entropy": [loss_by_loops, loss_by_logaddexp, loss_by_indices, loss_by_one_hot],
    "num_parameters": [
        lambda D, H, V: (D + H + 1) * H + (H + 1) * V,
        lambda D, H, V: np.int64(D * H + H * H + H + H * V + V),
        lambda D, H, V: np.array(D * H + H * H + H + H * V + V),
        lambda D, H, V: sum(math.prod(shape) for shape in ((D, H), (H, H), (H,), (H, V), (V,))),
        lambda D, H, V: int(np.sum([D * H, H**2, H, H * V, V])),
    ],
}  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "name, function",
    [pytest.param(name, function, id=f"{name}-{i}") for name, functions in HONEST.items() for i, function in enumerate(functions)],
)
def test_honest_solution_in_another_style_gets_full_marks(judge, name, function, seed):
    record = judge(BY_NAME[name], function, seed)
    assert record.points == BY_NAME[name].points, as_text(record)


@EVERY_TASK
def test_every_task_has_four_honest_solutions_of_another_style(task):
    assert len(HONEST[task.name]) >= 4


@EVERY_TASK
def test_prints_and_warnings_cost_nothing_and_are_not_shown(judge, task, capfd):
    def noisy(*arguments):
        print("so far so good")
        sys.stderr.write("careful\n")
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)
        return task.solution(*arguments)

    record = judge(task, noisy)
    assert record.passed and record.points == task.points
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err == ""


@EVERY_TASK
def test_check_returns_none_for_a_right_function(task, capsys):
    assert check(task.name, task.solution) is None
    assert "all passed" in capsys.readouterr().out


# --- What a report says ------------------------------------------------------------------------


@EVERY_TASK
def test_unwritten_function_is_called_not_written_yet(judge, task):
    def unwritten(*arguments):
        raise NotImplementedError()

    record = judge(task, unwritten)
    assert record.points == 0 and record.mistakes == []
    assert "not written yet" in record.message


def test_unwritten_function_fails_with_one_line(capsys):
    def one_hot(ids, V):
        raise NotImplementedError()

    with pytest.raises(CheckFailed) as failure:
        check("one_hot", one_hot)
    assert len(failure.value._render_traceback_()) == 1
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("value", [None, 3, np.zeros((2, 2)), "one_hot"], ids=["None", "number", "array", "string"])
def test_what_is_no_function_is_refused_with_the_line_to_write(value, capsys):
    with pytest.raises(CheckFailed):
        check("one_hot", value)
    shown = capsys.readouterr().out
    assert "Expected the function one_hot(ids, V)" in shown and 'check("one_hot", one_hot)' in " ".join(shown.split())


def test_unknown_task_lists_the_tasks():
    with pytest.raises(ValueError, match="did you mean “rnn_step”") as failure:
        find("rnn_stepp")
    assert all(name in str(failure.value) for name in TASKS)


@pytest.mark.parametrize("task, mistake", MISTAKES)
def test_record_survives_json(judge, task, mistake):
    record = judge(task, mistake.function).as_dict()
    assert json.loads(json.dumps(record)) == record


@EVERY_TASK
def test_html_escapes_what_learners_print_and_raise(judge, task):
    def hostile(*arguments):
        print("<script>alert(1)</script>")
        raise ValueError("<img src=x onerror=alert(2)>")

    page = as_html(judge(task, hostile))
    assert "<script" not in page and "<img" not in page
    assert "&lt;script&gt;" in page and "&lt;img" in page


@ARRAY_TASKS
def test_no_report_shows_what_was_expected(judge, task):
    def wrong(*arguments):
        return 1.5 * task.solution(*arguments) + 3

    rng = np.random.default_rng(checks_run.PUBLIC_SEED)
    cases = [task.form_case(rng), *task.value_cases(rng)]
    record = judge(task, wrong)
    shown = as_text(record) + as_html(record) + json.dumps(record.as_dict())
    expected = {f"{v:.5f}" for case in cases for v in np.ravel(task.reference(*case.arguments.values())) if v % 1}
    assert "you" in record.message
    assert not [digits for digits in expected if digits[:-1] in shown]


@EVERY_TASK
def test_points_count_value_cases_up_to_the_first_that_fails(judge, task):
    count = len(task.value_cases(np.random.default_rng(0)))
    for right in range(count):
        calls = iter(range(1000))

        def once_wrong(*arguments, right=right, calls=calls):
            truth = task.solution(*arguments)
            return -truth - 1 if next(calls) == right + 1 else truth  # call 0 looks at the form

        record = judge(task, once_wrong)
        assert record.points == pytest.approx(task.points * right / count)
        assert [step.status for step in record.steps if step.kind == "value"] == (
            ["passed"] * right + ["failed"] + ["not reached"] * (count - right - 1)
        )


def test_message_names_step_sequence_and_unit(judge):
    def wrong_from_the_fourth_step(X, H_0, W_xh, W_hh, b_h):
        H = forward_hoisted(X, H_0, W_xh, W_hh, b_h)
        H[3:, 1:2, 1] += 1
        return H

    message = judge(module.FORWARD_TASK, wrong_from_the_fourth_step).message
    assert "H first differs at step 4 of " in message and "H[3] in code" in message
    assert "sequence n=1" in message and "unit h=1" in message


def test_message_for_one_step_names_sequence_and_unit_without_a_time(judge):
    def wrong(X_t, H_prev, W_xh, W_hh, b_h):
        H_t = step_by_concatenation(X_t, H_prev, W_xh, W_hh, b_h)
        H_t[-1, 0] += 1
        return H_t

    message = judge(module.STEP_TASK, wrong).message
    assert "unit h=0" in message and "sequence n=" in message and "step" not in message


def test_message_names_the_token_of_a_wrong_logit(judge):
    def wrong(H, W_hq, b_q):
        logits = H @ W_hq + b_q
        logits[0, 0, 1] -= 2
        return logits

    message = judge(module.OUTPUT_TASK, wrong).message
    assert "first differs at step 1 of " in message and "sequence n=0" in message and "token v=1" in message


def test_wrong_shape_is_told_with_the_names_of_the_axes(judge):
    message = judge(module.FORWARD_TASK, lambda X, *rest: forward_hoisted(X, *rest)[-1]).message
    assert "expected shape (T=" in message and "H=" in message


def test_error_of_a_learner_is_told_with_its_line(judge):
    def broken(ids, V):
        return ids @ np.zeros(999)

    message = judge(module.ONE_HOT_TASK, broken).message
    assert "ValueError" in message and "return ids @ np.zeros(999)" in message


def test_changed_input_is_named(judge):
    def careless(X, H_0, W_xh, W_hh, b_h):
        H = forward_hoisted(X, H_0, W_xh, W_hh, b_h)
        b_h += 1
        return H

    record = judge(module.FORWARD_TASK, careless)
    assert record.points == 0 and "changed its input b_h" in record.message


# --- Where a report sends the learner ----------------------------------------------------------

SECTIONS = dict.fromkeys(
    section for task in module.TASKS for section in [task.section, *(m.section for m in task.mistakes if m.section)]
)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.label)
def test_section_to_reread_is_in_the_book(course, section):
    pages = [path for suffix in (".ipynb", ".md") if (path := course / "book" / f"{section.page}{suffix}").exists()]
    assert pages, f"book/{section.page} is not there"
    if pages[0].suffix == ".md":
        text = pages[0].read_text(encoding="utf-8")
    else:
        cells = json.loads(pages[0].read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    lines = text.splitlines()
    assert f"({section.label})=" in lines
    heading = next(line for line in lines[lines.index(f"({section.label})=") + 1 :] if line.strip())
    assert heading.lstrip("#").strip() == section.title


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
    record = judge(module.FORWARD_TASK, lambda X, H_0, *weights: Pair(X, H_0))
    assert "expected a NumPy array, received a tuple of 2" in record.message


def test_a_list_that_holds_itself_is_an_error_of_the_function_and_not_of_the_check(judge):
    def endless(*arguments):
        result = []
        result.append(result)
        return result

    record = judge(module.FORWARD_TASK, endless)
    assert record.points == 0 and "RecursionError" in record.message


def test_a_function_that_quits_is_reported(judge):
    def quits(*arguments):
        raise SystemExit("done")

    record = judge(module.FORWARD_TASK, quits)
    assert record.points == 0 and "SystemExit: done" in record.message
