"""What a check says of a wrong function that nobody listed, and of hints for it."""

from __future__ import annotations

import json
import linecache
import sys
from pathlib import Path

import numpy as np
import pytest

from unrolled.checks import CheckFailed, check, find, hint, run
from unrolled.checks.diagnosis import code, place, sentences, table
from unrolled.checks.hints import ASK
from unrolled.checks.report import as_text, feedback_html

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / part) for part in ("tools", "tests/assignments", "benchmarks")]

WRONG = sorted(Path(__file__).with_name("wrong").glob("*.py"))
EXACT = {"shape", "unread", "known", "edit", "relation"}


def function_of(text: str, name: str):
    """The function that a text defines, with its lines where Python looks for them."""
    place = f"<cell {abs(hash(text))}>"
    linecache.cache[place] = (len(text), None, text.splitlines(True), place)
    space: dict = {"__name__": "learner"}
    exec(compile(text, place, "exec"), space)
    return space[name]


def checked(name: str, text: str, seed: int = run.PUBLIC_SEED):
    with np.errstate(all="ignore"):
        return run.run(find(name), run.in_process(function_of("import numpy as np\n" + text, name)), seed)


def record_of(path: Path):
    text = path.read_text(encoding="utf-8")
    name = text.splitlines()[0].removeprefix("# check:").strip()
    with np.errstate(all="ignore"):
        return run.run(find(name), run.in_process(function_of(text, name)))


STEP_BACKWARD = """
def rnn_step_backward(dH_t, X_t, H_prev, H_t, W_xh, W_hh):
    dZ = dH_t * {slope}
    return dZ @ W_xh.T, dZ @ W_hh.T, X_t.T @ dZ, H_prev.T @ dZ, dZ.sum(0)
"""


# --- How it is explained -----------------------------------------------------------------------


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_a_wrong_function_is_caught_and_explained_or_located(path):
    record = record_of(path)
    assert not record.passed
    assert record.explained in EXACT | {"location"}
    assert json.loads(json.dumps(record.as_dict())) == record.as_dict()


def test_most_wrong_functions_are_explained_exactly():
    found = [record_of(path).explained for path in WRONG]
    assert sum(how in EXACT for how in found) >= 0.8 * len(found)


def test_a_product_that_does_not_fit_is_named_with_its_axes():
    record = checked("rnn_step", "def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):\n    return np.tanh(H_prev @ W_xh + X_t @ W_hh + b_h)\n")
    assert record.explained == "shape"
    assert "H_prev @ W_xh" in record.explanation and "H_prev is (N, H), W_xh is (D, H)" in record.explanation
    assert record.line == {"number": 3, "text": "return np.tanh(H_prev @ W_xh + X_t @ W_hh + b_h)"}


def test_a_place_of_another_shape_is_named():
    record = checked("rnn_forward", "def rnn_forward(X, H_0, W_xh, W_hh, b_h):\n    H, h = np.empty_like(X), H_0\n    for t in range(len(X)):\n"
                     "        h = np.tanh(X[t] @ W_xh + h @ W_hh + b_h)\n        H[t] = h\n    return H\n")
    assert record.explained == "shape" and "H[t] is (N, D), h is (N, H)" in record.explanation


def test_a_name_that_is_misspelt_is_told_what_is_near():
    record = checked("rnn_step", "def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):\n    return np.tanh(X_t @ W_xh + H_pre @ W_hh + b_h)\n")
    assert "H_pre stands for nothing; there is a H_prev" in record.explanation


def test_too_few_names_for_the_values_are_counted():
    record = checked("rnn_forward", "def rnn_forward(X, H_0, W_xh, W_hh, b_h):\n    N, D = X.shape\n    return X\n")
    assert "2 names" in record.explanation and "3 values" in record.explanation


def test_an_argument_that_is_never_read_is_named_as_the_task_names_it():
    record = checked("rnn_step_backward", "def rnn_step_backward(d, x, before, after, W, U):\n    s = np.tanh(x @ W + before @ U)\n"
                     "    z = d * (1 - s**2)\n    return z @ W.T, z @ U.T, x.T @ z, before.T @ z, z.sum(0)\n")
    assert record.explained == "unread" and "never reads H_t" in record.explanation


@pytest.mark.parametrize("seed", [run.PUBLIC_SEED, 7])
def test_an_edit_that_nobody_listed_is_named_with_public_and_with_secret_cases(seed):
    record = checked("rnn_step_backward", STEP_BACKWARD.format(slope="(1 - H_t)**2"), seed)
    assert record.explained == "edit"
    assert "(1 − H_t)²" in record.explanation and "1 − H_t²" in record.advice


def test_a_logarithm_to_another_base_is_a_relation():
    text = ("def cross_entropy(logits, Y):\n    z = logits - logits.max(-1, keepdims=True)\n    p = z - np.log(np.exp(z).sum(-1, keepdims=True))\n"
            "    return float(-np.take_along_axis(p, Y[..., None], -1).mean()) / np.log(7)\n")
    record = checked("cross_entropy", text)
    assert record.explained in ("relation", "edit") and "0.513898" in record.explanation


def test_blocks_that_hold_another_gates_values_are_named():
    record = record_of(Path(__file__).with_name("wrong") / "lstm_backward-bias-copied.py")
    assert record.explained == "relation"
    assert "the input gate, the output gate" in record.explanation and "the forget gate" in record.explanation


def test_what_is_right_with_one_sequence_only_is_said():
    record = record_of(Path(__file__).with_name("wrong") / "rnn_forward-one-state-for-batch.py")
    assert record.explained == "location" and "N = 1" in record.explanation


def test_an_impossible_value_is_called_so():
    record = checked("bleu", "def bleu(candidate, reference, n):\n    return 1.5 + len(candidate) * n / (1 + len(reference))\n")
    assert "it can never be above 1" in record.explanation


# --- What the code shows -----------------------------------------------------------------------


def signs(text: str, gradients: bool = False) -> list[str]:
    return code.signs(code.read(text, "f"), gradients)


def test_a_return_inside_the_loop_is_a_possible_reason():
    [sign] = signs("def f(X):\n    for x in X:\n        y = x\n        return y\n")
    assert "Perhaps" in sign and "line 4 returns inside the loop" in sign


def test_a_return_below_the_loop_is_none():
    assert signs("def f(X):\n    for x in X:\n        if x:\n            return x\n    return None\n") == []


def test_a_module_that_the_grader_lacks_is_told():
    [sign] = signs("import torch\ndef f(X):\n    return torch.tanh(X)\n")
    assert "torch" in sign and "not there when your work is graded" in sign


def test_a_clip_is_a_sign_in_gradients_only():
    text = "import numpy as np\ndef f(X):\n    return np.clip(X, -1, 1)\n"
    assert signs(text) == [] and len(signs(text, gradients=True)) == 1


def test_code_nested_too_deep_is_left_alone():
    assert code.read("def f(x):\n    return " + "(" * 5000 + "x" + ")" * 5000, "f") is None


# --- The two that passed -----------------------------------------------------------------------


def test_a_tanh_by_exponentials_that_overflow_fails():
    record = checked("rnn_step", "def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):\n    z = X_t @ W_xh + H_prev @ W_hh + b_h\n"
                     "    return (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))\n")
    assert not record.passed


def test_the_global_random_state_is_no_generator():
    record = checked("init_lstm", "def init_lstm(D, H, seed, forget_bias):\n    np.random.seed(seed)\n    k = 1 / np.sqrt(H)\n"
                     "    b = np.zeros(4 * H)\n    b[H:2*H] = forget_bias\n"
                     "    return np.random.uniform(-k, k, (D, 4 * H)), np.random.uniform(-k, k, (H, 4 * H)), b\n")
    assert record.points == 0 and "np.random.default_rng(seed)" in record.message


# --- Hints -------------------------------------------------------------------------------------


def asked(capsys) -> str:
    hint("rnn_step_backward")
    return capsys.readouterr().out


def test_hints_come_one_by_one_and_begin_again_with_each_check(capsys):
    function = function_of("import numpy as np\n" + STEP_BACKWARD.format(slope="(1 - H_t)**2"), "rnn_step_backward")
    for _ in range(2):
        with pytest.raises(CheckFailed):
            check("rnn_step_backward", function)
        capsys.readouterr()
        assert "Which idea" in asked(capsys)
        assert "1 − H_t² belongs" in asked(capsys)


def test_a_check_says_what_and_not_yet_what_to_do(capsys):
    record = checked("rnn_step_backward", STEP_BACKWARD.format(slope="(1 - H_t)**2"))
    assert record.explanation in " ".join(as_text(record).split())
    assert record.advice not in " ".join(as_text(record).split())


def test_a_notebook_that_imports_check_alone_can_ask_for_hints():
    assert check.hint is hint
    assert 'check.hint("rnn_step")' in ASK.format(task="rnn_step")


def test_a_hint_before_any_check_says_what_to_run(capsys, monkeypatch):
    monkeypatch.setattr("unrolled.checks._standing", {})
    hint("lstm_from_torch")
    assert 'run check("lstm_from_torch", lstm_from_torch) first' in capsys.readouterr().out


def test_the_last_hint_shows_the_line_that_an_edit_is_about():
    record = checked("rnn_step_backward", STEP_BACKWARD.format(slope="(1 - H_t)**2"))
    assert record.explained == "edit" and record.line == {"number": 4, "text": "dZ = dH_t * (1 - H_t)**2"}


OUTPUTS = ["dX", "dH"]


@pytest.mark.parametrize("text, template, fills, line", [
    ("def f(Z, W):\n    g = Z\n    dX = g @ W\n    return dX, g\n", "term-dropped", {"where": "dX", "term": "b"}, 3),
    ("def f(Z, W):\n    g = Z\n    return (g @ W,\n            g)\n", "term-dropped", {"where": "dH", "term": "b"}, 4),
    ("def f(Z, W):\n    dX = Z\n    for z in Z:\n        dX = dX + z\n    return dX, Z\n", "loop-first", {}, 3),
    ("def f(Z, W):\n    dX = Z\n    for z in Z:\n        dX = dX + z\n    return dX, Z\n", "term-dropped", {"where": "dX", "term": "b"}, 0),
    ("def f(Z, W):\n    return Z, W\n", "term-dropped", {"where": "the cell", "term": "b"}, 0),
], ids=["a name", "an output", "a loop", "two lines", "nothing of that name"])  # fmt: skip
def test_an_edit_is_about_the_only_line_that_computes_what_it_changes(text, template, fills, line):
    assert place.line_of(code.read(text, "f"), OUTPUTS, template, fills) == line


def test_no_line_is_shown_where_two_could_be_meant():
    text = STEP_BACKWARD.format(slope="(1 - H_t)**2").replace("    return", "    other = dH_t * (1 - H_t)**2\n    return")
    record = checked("rnn_step_backward", text)
    assert record.explained == "edit" and record.line is None


def test_feedback_holds_the_hints_folded():
    record = checked("rnn_step_backward", STEP_BACKWARD.format(slope="(1 - H_t)**2"))
    page = feedback_html(record, lambda page, label: None)
    assert page.count("<details") >= 2 and "1 − H_t² belongs" in page


# --- The table ---------------------------------------------------------------------------------


def test_every_sentence_of_the_table_can_be_filled():
    for rows in table.everything().values():
        for template, fills in rows.sentences:
            what, todo = sentences.filled(template, fills)
            assert "{" not in what + todo


def test_the_table_is_small():
    assert table.PATH.stat().st_size < 2_000_000


def test_the_table_is_that_of_todays_rules_answers_and_cases():
    import diagnosis_table

    assert diagnosis_table.stale() + diagnosis_table.missing() == [], "renew it with: python tools/diagnosis_table.py"
