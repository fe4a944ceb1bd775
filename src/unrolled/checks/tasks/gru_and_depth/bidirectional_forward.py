"""`bidirectional_forward`: one network from left to right and one from right to left, with sequences of different lengths."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from .... import reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake, sizes
from .shared import ASSIGNMENT, PADDING, STATE, mistakes_of_the_step, read_layer, real_places, some_layer, some_lengths

BOTH = Section("gates/depth", "depth-bidirectional", "Two directions")
PACKED = Section("gates/padding", "depth-packed", "Packed sequences")


def _both_case(name: str, rng: np.random.Generator, T: int, D: int, H: int, lengths: list[int], padding: float = 0.0, scale: float = 1.0,
               silent: str = "") -> Case:
    """padding: what X holds there at most, 0 for zeros. silent: the direction whose weights are all zero."""
    lengths = np.array(lengths)
    real = np.arange(T)[:, None] < lengths
    X = scale * rng.normal(size=(T, len(lengths), D))
    X[~real] = padding * rng.uniform(-1, 1, size=(T, len(lengths), D))[~real]
    arguments = {"X": X, "lengths": lengths, "forward": some_layer(rng, D, H), "backward": some_layer(rng, D, H)}
    if silent:
        arguments[silent] = tuple(np.zeros_like(weights) for weights in arguments[silent])
    return Case(name, arguments)


def _both_values(rng: np.random.Generator) -> list[Case]:
    D, H = sizes(rng, 2)
    T, N = int(rng.integers(6, 9)), int(rng.integers(3, 6))
    mixed = functools.partial(some_lengths, rng, N)
    return [
        _both_case("the forward direction alone, no padding (the backward weights are zero)", rng, T, D, H, [T] * N, silent="backward"),
        _both_case("the backward direction alone, no padding (the forward weights are zero)", rng, T, D, H, [T] * N, silent="forward"),
        _both_case("both directions, no padding", rng, T, D, H, [T] * N),
        _both_case("one step, one sequence (T=1, N=1)", rng, 1, D, H, [1]),
        _both_case("one sequence with padding behind it", rng, T, D, H, [T - 3]),
        _both_case("several sequences of different lengths", rng, T, D, H, mixed(T)),
        _both_case("padding that holds other numbers", rng, T, D, H, mixed(T), padding=99.0),
        _both_case("no sequence as long as the array", rng, T, D, H, mixed(T - 2), padding=1.0),
        _both_case("every sequence of one step", rng, T, D, H, [1] * N, padding=1.0),
        _both_case("as many steps as sequences, as many inputs as units (T=N, D=H)", rng, T, H, H, some_lengths(rng, T, T), padding=1.0),
        _both_case("large inputs, where tanh saturates", rng, T, D, H, mixed(T), padding=99.0, scale=20.0),
        _both_case("many steps (T=40)", rng, 40, D, H, some_lengths(rng, N, 40), padding=1.0),
    ]


def _reverse_each(X, lengths):
    """Each sequence backwards within its length; padding stays where it is."""
    steps = np.arange(len(X))[:, None]
    return X[np.where(steps < lengths, lengths - 1 - steps, steps), np.arange(X.shape[1])]


def _right(X, lengths, layer):
    return read_layer(X, layer)


def _left(X, lengths, layer):
    return _reverse_each(read_layer(_reverse_each(X, lengths), layer), lengths)


def _join(right, left, lengths):
    return np.concatenate([right, left], axis=-1) * real_places(len(right), lengths)[..., None]


def _both(X, lengths, forward, backward, *, right=_right, left=_left, join=_join):
    """Right, but for what is passed: states of one direction `right(X, lengths, layer)`, or how the two are joined."""
    return join(right(X, lengths, forward), left(X, lengths, backward), lengths)


def _both_with(**changes) -> Callable:
    return functools.partial(_both, **changes)


def _both_returning(change: Callable) -> Callable:
    """The right states, returned as `change(states, lengths)`."""
    return lambda X, lengths, forward, backward: change(_both(X, lengths, forward, backward), lengths)


def _both_of(step: Callable) -> Callable:
    """Both directions with another step."""
    read = functools.partial(read_layer, step=step)
    return _both_with(right=lambda X, lengths, layer: read(X, layer),
                      left=lambda X, lengths, layer: _reverse_each(read(_reverse_each(X, lengths), layer), lengths))


def _whole_array_reversed(X, lengths, layer):
    return read_layer(X[::-1], layer)[::-1]


def _reversed_from_the_longest(X, lengths, layer):
    states = np.zeros((*X.shape[:2], len(layer[2])))
    states[: lengths.max()] = read_layer(X[: lengths.max()][::-1], layer)[::-1]
    return states


def _padding_zeroed_but_read(X, lengths, layer):
    return _whole_array_reversed(X * real_places(len(X), lengths)[..., None], lengths, layer)


def _first_token_skipped(X, lengths, layer):
    states = _left(X, lengths, layer)
    states[0] = 0
    return states


def _last_token_skipped(X, lengths, layer):
    states = np.zeros((*X.shape[:2], len(layer[2])))
    for n, length in enumerate(lengths):
        if length > 1:
            states[: length - 1, n] = read_layer(X[: length - 1, n : n + 1][::-1], layer)[::-1, 0]
    return states


def _starts_from_forward_end(X, lengths, forward, backward):
    right = read_layer(X, forward)
    start = right[lengths - 1, np.arange(len(lengths))]
    return _join(right, _reverse_each(read_layer(_reverse_each(X, lengths), backward, start), lengths), lengths)


def _each_starts_from_the_one_before(X, lengths, forward, backward):
    """One state over all sequences: what ended one starts the next."""
    H = np.zeros((*X.shape[:2], 2 * len(forward[2])))
    right = left = np.zeros((1, len(forward[2])))
    for n, length in enumerate(lengths):
        one = X[:length, n : n + 1]
        rights, lefts = read_layer(one, forward, right), read_layer(one[::-1], backward, left)
        right, left = rights[-1], lefts[-1]
        H[:length, n] = np.concatenate([rights, lefts[::-1]], axis=-1)[:, 0]
    return H


def _mask_off_by(k: int) -> Callable:
    return _both_with(join=lambda right, left, lengths: _join(right, left, lengths + k))


def _holds_the_last_state(right, left, lengths):
    """The forward half goes on showing a sequence's last state."""
    steps = np.minimum(np.arange(len(right))[:, None], lengths - 1)
    return np.concatenate([right[steps, np.arange(len(lengths))], left * real_places(len(left), lengths)[..., None]], axis=-1)


def _sorted_by_length(states, lengths):
    return states[:, np.argsort(-lengths, kind="stable")]


def _padding_of_X_zeroed(X, lengths, forward, backward):
    X[~real_places(len(X), lengths)] = 0
    return _both(X, lengths, forward, backward)


def _reversed_inside_X(X, lengths, forward, backward):
    right = read_layer(X, forward)
    for n, length in enumerate(lengths):
        X[:length, n] = X[:length, n][::-1].copy()
    return _join(right, _reverse_each(read_layer(X, backward), lengths), lengths)


TASK = Task(
    name="bidirectional_forward", assignment=ASSIGNMENT, points=4, section=BOTH, uses=("stacked_forward",),
    arguments={"X": ("T", "N", "D"), "lengths": ("N",), "forward": None, "backward": None},
    outputs=(Output("H", "array", ("T", "N", "2H")),),
    form_case=lambda rng: _both_case("several sequences of different lengths", rng, 6, *sizes(rng, 2), [6, 2, 4], padding=1.0),
    value_cases=_both_values, measure=lambda arguments: {"H": len(arguments["forward"][2])},
    reference=reference.bidirectional_forward, solution=_both,
    mistakes=(
        Mistake("padding-read-first", "a network whose backward direction begins with the padding, as X[::-1] does: turn each sequence "
                "round within its own length", _both_with(left=_whole_array_reversed)),
        Mistake("longest-read-first", "a network whose backward direction starts at the longest sequence's last step for all: each starts "
                "at its own", _both_with(left=_reversed_from_the_longest)),
        Mistake("padding-zeroed-but-read", "a network whose backward direction begins with padding that was set to zero: the bias moves "
                "the state there, too, so begin at the sequence's own last step", _both_with(left=_padding_zeroed_but_read)),
        Mistake("padding-read-and-kept", "a network whose backward direction begins with the padding, and whose states there are not zero",
                _both_with(left=_whole_array_reversed, join=lambda right, left, lengths: np.concatenate([right, left], axis=-1))),
        Mistake("padding-not-zeroed", "states that are right on every sequence and go on into the padding: from lengths[n] on they are "
                "zero",
                _both_with(join=lambda right, left, lengths: np.concatenate([right, left], axis=-1)), section=PADDING),
        Mistake("forward-padding-not-zeroed", "states whose forward half goes on into the padding: both halves are zero from lengths[n] on",
                _both_with(join=lambda right, left, lengths: np.concatenate(
                    [right, left * real_places(len(left), lengths)[..., None]], axis=-1)), section=PADDING),
        Mistake("only-inputs-zeroed", "a network whose inputs are set to zero in the padding, and not its states: the bias moves them on",
                lambda X, lengths, forward, backward: np.concatenate(
                    [read_layer(X * real_places(len(X), lengths)[..., None], forward),
                     _left(X * real_places(len(X), lengths)[..., None], lengths, backward)], axis=-1), section=PADDING),
        Mistake("last-state-held", "states whose forward half repeats a sequence's last state in the padding: zero from lengths[n] on",
                _both_with(join=_holds_the_last_state), section=PADDING),
        Mistake("zero-one-too-late", "states that are zero from lengths[n] + 1 on: the last real step is lengths[n] - 1", _mask_off_by(1),
                section=PADDING),
        Mistake("zero-one-too-early", "states that are zero from lengths[n] - 1 on, which is the last real step", _mask_off_by(-1),
                section=PADDING),
        Mistake("one-padding-read", "a network whose backward direction starts at step lengths[n], one too far: in code the last token is "
                "X[lengths[n] - 1, n]", _both_with(left=lambda X, lengths, layer: _left(X, np.minimum(lengths + 1, len(X)), layer))),
        Mistake("last-token-skipped", "a network whose backward direction starts one step too early and never reads the last token, "
                "X[lengths[n] - 1, n]", _both_with(left=_last_token_skipped)),
        Mistake("first-token-skipped", "a network whose backward direction stops before the first token, as range(length - 1, 0, -1) does: "
                "its last step is 0", _both_with(left=_first_token_skipped)),
        Mistake("not-turned-back", "a network whose backward states are left in the order in which they were read: turn them round again, "
                "so that both halves belong to the same token", _both_with(
                    left=lambda X, lengths, layer: read_layer(_reverse_each(X, lengths), layer))),
        Mistake("both-forwards", "a network whose second direction reads forwards, too", _both_with(left=_right)),
        Mistake("both-backwards", "a network whose first direction reads backwards, too", _both_with(right=_left)),
        Mistake("halves-swapped", "states with the backward half first: [forward, backward]",
                _both_with(join=lambda right, left, lengths: _join(left, right, lengths))),
        Mistake("weights-swapped", "a network that reads forwards with the backward weights and backwards with the forward ones",
                lambda X, lengths, forward, backward: _both(X, lengths, backward, forward)),
        Mistake("forward-weights-twice", "a network that uses the forward weights in both directions",
                lambda X, lengths, forward, backward: _both(X, lengths, forward, forward)),
        Mistake("backward-reads-states", "a network whose backward direction reads the forward states, which runs only where D = H: both "
                "read X",
                lambda X, lengths, forward, backward: _join(
                    read_layer(X, forward), _left(read_layer(X, forward), lengths, backward), lengths)),
        Mistake("starts-from-forward-end", "a network whose backward direction starts from the last forward state: both start from zero",
                _starts_from_forward_end),
        Mistake("flows-into-next-sequence", "a network in which the last state of a sequence starts the next one: every sequence starts "
                "from zero", _each_starts_from_the_one_before, section=STATE),
        Mistake("added", "the two directions added: put them side by side, (T, N, 2H)",
                _both_with(join=lambda right, left, lengths: (right + left) * real_places(len(right), lengths)[..., None])),
        Mistake("joined-in-time", "the two directions one after the other in time: put them side by side along the last axis",
                _both_with(join=lambda right, left, lengths: np.concatenate(
                    np.split(_join(right, left, lengths), 2, axis=-1), axis=0))),
        Mistake("stacked", "the two directions along an axis of their own: put them side by side along the last axis, (T, N, 2H)",
                _both_with(join=lambda right, left, lengths: np.stack(np.split(_join(right, left, lengths), 2, axis=-1)))),
        Mistake("a-pair", "the two directions as a pair: join them with np.concatenate along the last axis",
                _both_returning(lambda states, lengths: tuple(np.split(states, 2, axis=-1)))),
        Mistake("interleaved", "the two directions unit by unit in turn: first all of forward, then all of backward",
                _both_returning(lambda states, lengths: np.stack(np.split(states, 2, axis=-1), axis=-1).reshape(states.shape))),
        Mistake("forward-only", "the forward direction alone",
                _both_returning(lambda states, lengths: np.split(states, 2, axis=-1)[0].copy())),
        Mistake("sorted-by-length", "right states with the longest sequence first: put them back into the order in which they came",
                _both_returning(_sorted_by_length), section=PACKED),
        Mistake("cut-at-the-longest", "right states, cut off after the longest sequence, as torch's unpacking does: keep all T steps of "
                "the array",
                _both_returning(lambda states, lengths: states[: lengths.max()]), section=PACKED),
        Mistake("as-list", "right states as a list of steps: stack them to one array",
                _both_returning(lambda states, lengths: list(states))),
        Mistake("batch-first", "right states with the batch before time: keep time first, (T, N, 2H)",
                _both_returning(lambda states, lengths: np.swapaxes(states, 0, 1).copy())),
        Mistake("padding-of-X-zeroed", "right states from a network that sets the padding to zero in the caller's X: work on a copy",
                _padding_of_X_zeroed),
        Mistake("reversed-inside-X", "right states from a network that turns the sequences round in the caller's X: work on a copy",
                _reversed_inside_X),
        Mistake("state-not-carried", "a network that sets its state to zero before every step",
                _both_of(lambda X_t, H_t, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + b_h)), section=STATE),
        *mistakes_of_the_step(_both_of),
        float32_mistake(_both, tolerance=1e-5),
    ),
)
