"""A check at home says what would be otherwise when the function is graded: modules that are not there, and limits of time."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.checks import limits
from unrolled.checks.report import as_html, as_text


def written(text: str, name: str = "f", **space):
    """A function as a notebook defines it."""
    names = {"np": np, "__name__": "__main__", **space}
    exec(text, names)
    return names[name]


@pytest.mark.parametrize("text, missing", [
    ("def f(x):\n    return np.tanh(x)", []),
    ("import math, functools\ndef f(x):\n    return functools.reduce(max, [math.pi, np.linalg.norm(x)])", []),
    ("import scipy\ndef f(x):\n    return x", []),  # imported and not used: it costs nothing
    ("import scipy.special\ndef f(x):\n    return scipy.special.logsumexp(x)", ["scipy"]),
    ("from scipy.special import logsumexp\ndef f(x):\n    return logsumexp(x)", ["scipy"]),
    ("def f(x):\n    import scipy.special as s\n    return s.logsumexp(x)", ["scipy"]),
    ("def f(x):\n    from scipy.special import logsumexp\n    return logsumexp(x)", ["scipy"]),
    ("from scipy.special import logsumexp\ndef g(x):\n    return logsumexp(x)\ndef f(x):\n    return g(x)", ["scipy"]),
    ("import scipy\ndef f(x):\n    return [scipy.special.logsumexp(row) for row in x]", ["scipy"]),
    ("from unrolled.cells import rnn_step\ndef f(*a):\n    return rnn_step(*a)", ["unrolled"]),
    ("from unrolled import cells\nf = cells.rnn_step", ["unrolled"]),
    ("def f(x):\n    return f(x - 1) if x else undefined_name", []),
    ("class A:\n    def __call__(self, x): return x\nf = A()", []),
], ids=ascii)  # fmt: skip
def test_packages_that_are_not_there_when_graded_are_found(text, missing):
    if missing == ["scipy"]:
        pytest.importorskip("scipy")
    assert limits.missing_modules(written(text)) == missing


@pytest.mark.parametrize("longest, total, says", [
    (4.9, 9.9, ""), (5.1, 6.0, "A call took 5.1 s: when graded one may take 10 s"), (1.0, 12.0, "Its calls took 12.0 s together: when graded they may take 20 s"),
])  # fmt: skip
def test_times_near_a_limit_are_said(longest, total, says):
    said = limits.otherwise(written("def f(x):\n    return x"), longest, total)
    assert said.startswith(says) and bool(said) == bool(says)


def test_check_says_in_one_line_that_the_grader_lacks_a_module(capsys):
    from unrolled.checks import check

    check("one_hot", written("from unrolled.text import one_hot", "one_hot"))
    assert "Careful: It uses unrolled: when graded there are NumPy and Python's own library only" in " ".join(capsys.readouterr().out.split())


def test_report_shows_the_line_on_passed_and_failed_checks():
    from unrolled.checks import TASKS
    from unrolled.checks import run as checks_run

    for function in (TASKS["one_hot"].solution, lambda ids, V: None):
        record = checks_run.run(TASKS["one_hot"], checks_run.in_process(function))
        assert "Careful" not in as_text(record) + as_html(record)
        record.when_graded = "It uses <b>."
        assert "Careful: It uses <b>." in as_text(record) and "Careful: It uses &lt;b&gt;." in as_html(record)
