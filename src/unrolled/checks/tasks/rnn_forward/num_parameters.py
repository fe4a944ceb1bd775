"""`num_parameters`: how many numbers a network learns."""

from __future__ import annotations

import numpy as np

from .... import reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import sizes
from .shared import ASSIGNMENT

PARAMETERS = Section("recurrence/rnn", "rnn-parameters", "Why parameters don't grow with T")


def _size_case(name: str, D: int, H: int, V: int) -> Case:
    return Case(name, {"D": D, "H": H, "V": V})


def _parameters_form(rng: np.random.Generator) -> Case:
    return _size_case("small sizes", *sizes(rng, 3))


def _parameters_values(rng: np.random.Generator) -> list[Case]:
    D, H, V = sizes(rng, 3)
    return [
        _size_case("every size 1", 1, 1, 1),
        _size_case("different sizes", D, H, V),
        _size_case("characters in, characters out (D=V)", 28, int(rng.integers(100, 300)), 28),
        _size_case("a large vocabulary", 300, 512, int(rng.integers(20_000, 90_000))),
    ]


TASK = Task(
    name="num_parameters", assignment=ASSIGNMENT, points=2, section=PARAMETERS,
    arguments={"D": None, "H": None, "V": None},
    outputs=(Output("count", "int"),),
    form_case=_parameters_form, value_cases=_parameters_values,
    reference=reference.num_parameters, solution=lambda D, H, V: D * H + H * H + H + H * V + V,
    mistakes=(
        Mistake("no-biases", "a count without the biases b_h and b_q", lambda D, H, V: D * H + H * H + H * V),
        Mistake("no-hidden-bias", "a count without the bias b_h", lambda D, H, V: D * H + H * H + H * V + V),
        Mistake("no-output-bias", "a count without the bias b_q", lambda D, H, V: D * H + H * H + H + H * V),
        Mistake("no-output-layer", "a count without the output layer, W_hq and b_q", lambda D, H, V: D * H + H * H + H),
        Mistake("no-recurrent-weights", "a count without W_hh", lambda D, H, V: D * H + H + H * V + V),
        Mistake("two-biases", "a count with H too many: there is one b_h (torch's nn.RNN keeps two biases), and the state H_0 is no "
                "parameter",
                lambda D, H, V: D * H + H * H + 2 * H + H * V + V),
        Mistake("recurrent-weights-diagonal", "a count with H recurrent weights: W_hh connects every unit with every unit, H * H",
                lambda D, H, V: D * H + H + H + H * V + V),
        Mistake("output-bias-of-size-H", "a count with an output bias of size H: b_q has one entry a token, V",
                lambda D, H, V: D * H + H * H + H + H * V + H),
        Mistake("hidden-bias-of-size-D", "a count with a hidden bias of size D: b_h has one entry a unit, H",
                lambda D, H, V: D * H + H * H + D + H * V + V),
        Mistake("V-for-D", "a count with V in place of D: W_xh has a row for each input feature",
                lambda D, H, V: V * H + H * H + H + H * V + V),
        Mistake("D-for-V", "a count with D in place of V: the output layer has a column for each token",
                lambda D, H, V: D * H + H * H + H + H * D + D),
        Mistake("float", "the right count as a float: return a whole number",
                lambda D, H, V: float(D * H + H * H + H + H * V + V)),
    ),
)
