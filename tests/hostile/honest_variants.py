"""Right work in other styles, as texts of solution cells: each must get full marks."""

from __future__ import annotations

EINSUM = """
def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):
    return np.tanh(np.einsum("nd,dh->nh", X_t, W_xh) + np.einsum("nh,hk->nk", H_prev, W_hh) + b_h)
"""
LOOPS = """
def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):
    rows = []
    for x, h in zip(X_t, H_prev):
        rows.append(np.tanh(x @ W_xh + h @ W_hh + b_h))
    return np.array(rows)
"""
IN_PLACE = """
def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):
    state = X_t @ W_xh
    state += H_prev @ W_hh
    state += b_h
    np.tanh(state, out=state)
    return state
"""
FORTRAN = """
def output_logits(H, W_hq, b_q):
    return np.asfortranarray(H @ W_hq + b_q)
"""
VIEW = """
def output_logits(H, W_hq, b_q):
    return np.stack([H @ W_hq + b_q] * 2, axis=-1)[..., 0]
"""
NOISY = """
import sys, warnings
def one_hot(ids, V):
    print("hello")
    print("a line for stderr", file=sys.stderr)
    warnings.warn("a warning")
    return np.eye(V)[ids]
"""
SCALAR = """
def num_parameters(D, H, V):
    return np.int64(D * H + H * H + H + H * V + V)
"""
FLOAT64 = """
def cross_entropy(logits, Y):
    m = logits.max(-1, keepdims=True)
    z = np.log(np.exp(logits - m).sum(-1)) + m[..., 0]
    t, n = np.indices(Y.shape)
    return np.mean(z - logits[t, n, Y])
"""
SLOW_FIRST = """
import time
first = True
def num_parameters(D, H, V):
    global first
    if first:
        time.sleep(0.5)
        first = False
    return D * H + H * H + H + H * V + V
"""
LIBRARY = """
from __future__ import annotations
import functools, itertools, math, operator, collections, dataclasses, typing
@dataclasses.dataclass
class Sizes:
    D: int
    H: int
    V: int
def num_parameters(D, H, V):
    s = Sizes(D, H, V)
    return functools.reduce(operator.add, [s.D * s.H, s.H * s.H, s.H, s.H * s.V, s.V])
"""
MAGICS = """%matplotlib inline
import matplotlib.pyplot as plt
import numpy as np, torch
%time started = 1
!pip install something
files = !ls
started
one_hot?
plt.plot([1, 2])
"""
TIMED = """%%time
def num_parameters(D, H, V):
    text = '''
% this line begins with a percent sign
'''
    return D * H + H * H + H + H * V + V
"""

RENAMED = """
def rnn_step(a, b, c, d, e):
    z = a.dot(c) + b.dot(d)
    z = z + e
    shrunk = np.exp(-2 * np.abs(z))  # of a large z, exp(2 * z) would be infinite
    out = np.sign(z) * (1 - shrunk) / (1 + shrunk)
    return out
"""
LIST_THEN_STACK = """
def rnn_forward(X, H_0, W_xh, W_hh, b_h):
    states, h = [], H_0.copy()
    for t in range(len(X)):
        h = rnn_step(X[t], h, W_xh, W_hh, b_h)
        states.append(h)
    return np.stack(states)
"""
STRIDED = """
def rnn_forward(X, H_0, W_xh, W_hh, b_h):
    N, H = H_0.shape
    wide = np.zeros((len(X), N, 2 * H))[:, :, ::2]
    for t in range(len(X)):
        wide[t] = rnn_step(X[t], wide[t - 1] if t else H_0, W_xh, W_hh, b_h)
    return wide
"""
OWN_COPIES = """
def cross_entropy(logits, Y):
    logits = logits.copy()
    logits -= logits.max(axis=-1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -np.take_along_axis(logits, Y[..., None], axis=-1).mean()
"""

# name: (texts of solution cells, cells added after the setup)
VARIANTS: dict[str, tuple[dict[str, str], list[str]]] = {
    "einsum": ({"rnn_step": EINSUM}, []),
    "loops": ({"rnn_step": LOOPS}, []),
    "renamed": ({"rnn_step": RENAMED}, []),
    "list-then-stack": ({"rnn_forward": LIST_THEN_STACK}, []),
    "strided": ({"rnn_forward": STRIDED}, []),
    "own-copies": ({"cross_entropy": OWN_COPIES}, []),
    "in-place": ({"rnn_step": IN_PLACE}, []),
    "fortran-order": ({"output_logits": FORTRAN}, []),
    "view": ({"output_logits": VIEW}, []),
    "prints-and-warnings": ({"one_hot": NOISY}, []),
    "numpy-integer": ({"num_parameters": SCALAR}, []),
    "numpy-float": ({"cross_entropy": FLOAT64}, []),
    "slow-first-call": ({"num_parameters": SLOW_FIRST}, []),
    "own-library": ({"num_parameters": LIBRARY}, []),
    "magics": ({}, [MAGICS]),
    "timed-cell": ({"num_parameters": TIMED}, []),
    "helper-cells": ({"rnn_step": "def rnn_step(*arguments):\n    return helper(*arguments)"}, [IN_PLACE.replace("rnn_step", "helper")]),
    "other-languages": ({}, ["%%bash\necho hello", "%%html\n<b>hello</b>", "display(1)\nhelp(np.dot)\nget_ipython().run_line_magic('matplotlib', 'inline')"]),
    "name used again": ({}, ["V = T = N = 7\nlist = [1]\nprint = 5"]),
    "dr. Müller 王小明": ({}, []),
}
