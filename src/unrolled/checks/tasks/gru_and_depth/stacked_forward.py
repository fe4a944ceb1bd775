"""`stacked_forward`: layers that read one another's states."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from .... import cells, reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake, sizes
from .shared import ASSIGNMENT, EQUATIONS, STATE, mistakes_of_the_step, read_layer, some_layer

STACKED = Section("gates/depth", "depth-stacked", "Stacked layers")


def _stacked_case(name: str, rng: np.random.Generator, T: int, N: int, widths: list[int], scale: float = 1.0) -> Case:
    """widths: the number of input features, then the number of units in each layer."""
    layers = [some_layer(rng, D, H) for D, H in zip(widths, widths[1:])]
    return Case(name, {"X": scale * rng.normal(size=(T, N, widths[0])), "layers": layers})


def _stacked_measure(arguments: dict) -> dict[str, int]:
    """H_1, H_2, ... from the bottom layer upwards; H is the top one's."""
    widths = [len(b_h) for _, _, b_h in arguments["layers"]]
    return {"H": widths[-1], **{f"H_{k}": width for k, width in enumerate(widths, 1)}}


def _stacked_values(rng: np.random.Generator) -> list[Case]:
    T, N, D, H, K = sizes(rng, 5)
    return [
        _stacked_case("one layer, one step (T=1)", rng, 1, N, [D, H]),
        _stacked_case("one layer, several steps", rng, T, N, [D, H]),
        _stacked_case("two layers, one step (T=1)", rng, 1, N, [D, H, H]),
        _stacked_case("two layers, several steps", rng, T, N, [D, H, H]),
        _stacked_case("as many inputs as units (D=H), three layers", rng, T, N, [H, H, H, H]),
        _stacked_case("three layers of different widths", rng, T, N, [D, H, K, H + K]),
        _stacked_case("a top layer narrower than the others, one sequence (N=1)", rng, T, 1, [D, H, K, 1]),
        _stacked_case("as many steps as sequences, inputs and units (T=N=D=H)", rng, H, H, [H, H, H]),
        _stacked_case("large inputs, where the first tanh saturates", rng, T, N, [D, H, K], scale=20.0),
        _stacked_case("four layers, many steps (T=40)", rng, 40, N, [D, H, H, H, H]),
    ]


def _all_layers(X, layers, read: Callable = read_layer) -> list[np.ndarray]:
    """All states of all layers, the bottom one first."""
    found = []
    for layer in layers:
        X = read(X, layer)
        found.append(X)
    return found


def _stack(X, layers, read: Callable = read_layer):
    found = _all_layers(X, layers, read)
    return found[-1], [states[-1] for states in found]


def _stack_returning(change: Callable) -> Callable:
    """The right states of all layers, returned as `change(list of (T, N, H))`."""
    return lambda X, layers: change(_all_layers(X, layers))


def _stack_of(choose: Callable) -> Callable:
    """A right stack of other layers: `choose(layers)`."""
    return lambda X, layers: _stack(X, choose(layers))


def _layers_side_by_side(X, layers):
    found = [read_layer(X, layer) for layer in layers]
    return found[-1], [states[-1] for states in found]


def _first_width_for_all(X, layers):
    return _stack(X, layers, lambda X, layer: read_layer(X, layer, np.zeros((X.shape[1], len(layers[0][2])))))


def _start_of_layer_below(X, layers):
    last_states, state = [], None
    for layer in layers:
        X = read_layer(X, layer, state)
        state = X[-1]
        last_states.append(state)
    return X, last_states


def _last_state_as_input(X, layers):
    T, last_states = len(X), []
    for layer in layers:
        states = read_layer(X, layer)
        last_states.append(states[-1])
        X = np.repeat(states[-1:], T, axis=0)
    return states, last_states


def _step_by_step(X, layers, *, below=lambda new, old: new, shared=False):
    """Step by step through all layers, but for what a layer reads from the one below, or one state that all layers share."""
    states = [np.zeros((X.shape[1], len(b_h))) for _, _, b_h in layers]
    top, H_t = [], states[0]
    for X_t in X:
        old = list(states)
        for k, layer in enumerate(layers):
            inputs = X_t if k == 0 else below(states[k - 1], old[k - 1])
            states[k] = H_t = cells.rnn_step(inputs, H_t if shared else states[k], *layer)
        top.append(states[-1])
    return np.stack(top), states


def _residual(X, layers):
    found = []
    for layer in layers:
        states = read_layer(X, layer)
        X = X + states
        found.append(states)
    return X, [states[-1] for states in found]


def _layers_emptied(X, layers):
    last_states = []
    while layers:
        X = read_layer(X, layers.pop(0))
        last_states.append(X[-1])
    return X, last_states


def _linear_top(X, layers):
    found = _all_layers(X, layers[:-1])
    found.append(read_layer(found[-1] if found else X, layers[-1], step=lambda X_t, H_t, W_xh, W_hh, b_h: X_t @ W_xh + H_t @ W_hh + b_h))
    return found[-1], [states[-1] for states in found]


def _stack_with(step: Callable) -> Callable:
    """The stack with another step in every layer."""
    return functools.partial(_stack, read=functools.partial(read_layer, step=step))


def _each_sequence_after_another(X, layer):
    """Time and batch exchanged."""
    return np.swapaxes(read_layer(np.swapaxes(X, 0, 1), layer), 0, 1)


TASK = Task(
    name="stacked_forward", assignment=ASSIGNMENT, points=4, section=STACKED,
    arguments={"X": ("T", "N", "D"), "layers": None},
    outputs=(Output("H", "array", ("T", "N", "H")), Output("last_states", "list", items=(Output("last_state", "array", ("N", "H_k")),))),
    form_case=lambda rng: _stacked_case("two layers", rng, *(s := sizes(rng, 4))[:2], [s[2], s[3], s[3]]),
    value_cases=_stacked_values, measure=_stacked_measure,
    reference=reference.stacked_forward, solution=_stack,
    mistakes=(
        Mistake("layers-side-by-side", "a network whose layers all read X, which runs only where they fit: the states of a layer are the "
                "inputs of the next", _layers_side_by_side),
        Mistake("last-layer-only", "a network of the last layer alone, on X, which runs only where it fits: go through all layers",
                _stack_of(lambda layers: layers[-1:])),
        Mistake("first-layer-only", "a network of the first layer alone: go through all layers", _stack_of(lambda layers: layers[:1])),
        Mistake("layers-reversed", "a network that goes through the layers from the last to the first: layers[0] reads X",
                _stack_of(lambda layers: layers[::-1])),
        Mistake("first-weights-everywhere", "a network that uses the first layer's weights in every layer",
                _stack_of(lambda layers: [layers[0]] * len(layers))),
        Mistake("last-layer-left-out", "a network that stops one layer short", _stack_of(lambda layers: layers[:-1] or layers)),
        Mistake("start-of-layer-below", "a network in which a layer starts from the last state of the layer below it: every layer starts "
                "from zeros", _start_of_layer_below),
        Mistake("one-state-for-all-layers", "a network that goes step by step and keeps one state for all layers: each layer has its own",
                functools.partial(_step_by_step, shared=True)),
        Mistake("one-step-late-at-each-layer", "a network in which a layer reads the state that the layer below had one step before: at "
                "step t it reads the new one", functools.partial(_step_by_step, below=lambda new, old: old)),
        Mistake("bottom-states-returned", "a network that returns the states of the first layer as H: return those of the top one",
                _stack_returning(lambda found: (found[0], [states[-1] for states in found]))),
        Mistake("last-state-as-input", "a network in which a layer reads the last state of the layer below at every step: it reads the "
                "state of the same step", _last_state_as_input),
        Mistake("residual", "a network that adds a layer's input to its states, which runs only where D = H: here only the states go up",
                _residual),
        Mistake("all-layers-joined", "right states of all layers side by side as H: return the top layer's",
                _stack_returning(lambda found: (np.concatenate(found, axis=-1), [states[-1] for states in found]))),
        Mistake("all-states-returned", "right states whose list holds all states of each layer: only the last of each, (N, H)",
                _stack_returning(lambda found: (found[-1], found))),
        Mistake("first-states-returned", "right states whose list holds the first state of each layer: the last one, states[-1]",
                _stack_returning(lambda found: (found[-1], [states[0] for states in found]))),
        Mistake("last-sequence-returned", "right states whose list holds all states of the last sequence, states[:, -1]: the last step of "
                "all sequences, states[-1]", _stack_returning(lambda found: (found[-1], [states[:, -1] for states in found]))),
        Mistake("top-last-state-only", "right states whose list holds the top layer's last state only: one of each layer",
                _stack_returning(lambda found: (found[-1], [found[-1][-1]]))),
        Mistake("top-last-state-alone", "right states with the top layer's last state alone, which is no list: return a list with one of "
                "each layer", _stack_returning(lambda found: (found[-1], found[-1][-1]))),
        Mistake("top-last-state-everywhere", "right states whose list shows the top layer's last state for every layer, as when one array "
                "is overwritten and appended again and again", _stack_returning(lambda found: (found[-1], [found[-1][-1]] * len(found)))),
        Mistake("top-first", "right states whose list begins with the top layer: the bottom one comes first",
                _stack_returning(lambda found: (found[-1], [states[-1] for states in found][::-1]))),
        Mistake("top-left-out", "right states whose list lacks the top layer's last state",
                _stack_returning(lambda found: (found[-1], [states[-1] for states in found[:-1]]))),
        Mistake("start-states-too", "right states whose list begins with a start state: one last state of each layer, no more",
                _stack_returning(lambda found: (found[-1], [0 * found[0][-1], *(states[-1] for states in found)]))),
        Mistake("last-states-as-array", "right states with the last states as one array, as torch's h_n: return a list, since layers may "
                "differ in width", _stack_returning(lambda found: (found[-1], np.stack([states[-1] for states in found])))),
        Mistake("last-states-joined", "right states with the last states joined to one array: return a list",
                _stack_returning(lambda found: (found[-1], np.concatenate([states[-1] for states in found], axis=-1)))),
        Mistake("last-states-with-time", "right states whose list holds arrays (1, N, H), as states[-1:] gives: (N, H), states[-1]",
                _stack_returning(lambda found: (found[-1], [states[-1:] for states in found]))),
        Mistake("last-states-unpacked", "right states, returned as (H, first, second, ...): return a pair, H and one list",
                _stack_returning(lambda found: (found[-1], *(states[-1] for states in found)))),
        Mistake("swapped", "right states with the list before H", _stack_returning(lambda found: ([s[-1] for s in found], found[-1]))),
        Mistake("H-only", "right states without the list of last states: return both", _stack_returning(lambda found: found[-1])),
        Mistake("top-last-state-as-H", "right last states, but H of the last step only: return the top layer's states of all steps",
                _stack_returning(lambda found: (found[-1][-1], [states[-1] for states in found]))),
        Mistake("H-as-list", "right states with H as a list of steps: stack them to one array",
                _stack_returning(lambda found: (list(found[-1]), [states[-1] for states in found]))),
        Mistake("batch-first", "right states with the batch before time: keep time first, (T, N, H)",
                _stack_returning(lambda found: (np.swapaxes(found[-1], 0, 1).copy(), [states[-1] for states in found]))),
        Mistake("layers-emptied", "right states from a loop that takes the layers out of the caller's list, as layers.pop(0) does: go "
                "through it with for", _layers_emptied),
        Mistake("batch-for-time", "a network that walks along the batch in place of time: the first axis is time",
                functools.partial(_stack, read=_each_sequence_after_another), section=STATE),
        Mistake("state-not-carried", "a network whose layers set their state to zero before every step: each layer carries its own on",
                _stack_with(lambda X_t, H_t, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + b_h)), section=STATE),
        Mistake("backwards", "a network that reads the sequence from its end", lambda X, layers: (
            lambda H, last_states: (H[::-1].copy(), last_states))(*_stack(X[::-1], layers)), section=STATE),
        Mistake("first-width-for-all", "a network whose start states all have the first layer's width: each layer has its own, len(b_h)",
                _first_width_for_all),
        Mistake("start-of-ones", "a network whose layers start from ones: every layer starts from zeros", functools.partial(
            _stack, read=lambda X, layer: read_layer(X, layer, np.ones((X.shape[1], len(layer[2])))))),
        *mistakes_of_the_step(_stack_with),
        Mistake("linear-top", "a network whose top layer has no tanh: it is a layer like the others", _linear_top, section=EQUATIONS),
        float32_mistake(_stack, tolerance=1e-5),
    ),
)
