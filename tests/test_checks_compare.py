"""Comparing results of every kind with what was expected, and what happens when the course itself is at fault."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.checks import CheckFailed, Task, compare
from unrolled.checks import run as checks_run
from unrolled.checks.diagnosis import known
from unrolled.checks.report import as_text
from unrolled.checks.task import Case, Mistake, Output, Section

ARRAY = Output("H", "array", ("T", "N"))
IDS = Output("ids", "ids", ("T", "N"))
NUMBER, WHOLE, WORD = Output("loss", "float"), Output("count", "int"), Output("token", "str")
PAIR = Output("the result", "tuple", items=(ARRAY, NUMBER))
TOKENS = Output("tokens", "list", items=(WORD,))
BATCHES = Output("batches", "list", items=(Output("pair", "tuple", items=(Output("X", "ids", ("T", "N")), Output("Y", "ids", ("T", "N")))),))
PARAMS = Output("params", "dict", items=(Output("W", "array", ("N", "N")), Output("b", "array", ("N",))))
COUNTS = Output("counts", "mapping", items=(Output("count", "int"),))
SIZES = {"T": 3, "N": 2}


def problem(value, expected, output, tolerance=1e-9):
    """The first thing wrong with a value: type, then shape and dtype, then values."""
    return (
        compare.type_problem(value, output)
        or compare.shape_problem(value, output, SIZES)
        or compare.value_problem(value, expected, output, tolerance)
    )


# --- ids ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint8, np.uint64])
def test_ids_may_have_any_integer_dtype(dtype):
    ids = np.arange(6).reshape(3, 2)
    assert problem(ids.astype(dtype), ids, IDS) is None


@pytest.mark.parametrize("dtype", [float, bool, complex, object])
def test_ids_of_another_dtype_are_refused(dtype):
    ids = np.zeros((3, 2), dtype)
    assert "whole numbers of an integer dtype" in problem(ids, np.zeros((3, 2), int), IDS)


def test_first_wrong_id_is_named_by_its_place_and_not_corrected():
    ids = np.arange(6).reshape(3, 2) + 70
    wrong = ids.copy()
    wrong[1, 1], wrong[2, 0] = 5, 6
    message = problem(wrong, ids, IDS)
    assert message == "ids first differs at [1, 1], axes (T, N); you have 5 there."


def test_ids_of_another_shape_are_told_with_the_axes():
    assert problem(np.zeros((2, 3), int), np.zeros((3, 2), int), IDS) == "ids: expected shape (T=3, N=2), received (2, 3)."


def test_a_list_is_no_array_of_ids():
    assert "expected a NumPy array, received a list of 3" in problem([[1, 2]] * 3, np.ones((3, 2), int), IDS)


# --- numbers and strings -----------------------------------------------------------------------


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int8(2), np.array(2.0), Fraction(2)])
def test_a_number_may_be_pythons_numpys_or_0_dimensional(value):
    assert problem(value, 2.0, NUMBER) is None


@pytest.mark.parametrize("value", [True, np.True_, "2", None, [2.0], np.array([2.0]), 2 + 0j])
def test_what_is_no_number_is_refused(value):
    assert "expected one number" in problem(value, 2.0, NUMBER)


@pytest.mark.parametrize("value", [2, np.int64(2), np.uint8(2), np.array(2)])
def test_a_whole_number_may_have_any_integer_type(value):
    assert problem(value, 2, WHOLE) is None


@pytest.mark.parametrize("value", [2.0, np.float64(2), True, "2", np.array([2])])
def test_a_float_is_no_whole_number(value):
    assert "expected one whole number" in problem(value, 2, WHOLE)


@pytest.mark.parametrize("output, value", [(WHOLE, 10**5000), (NUMBER, 10**5000), (NUMBER, -(10**400))], ids=range(3))
def test_a_number_of_thousands_of_digits_is_wrong_and_breaks_nothing(output, value):
    assert len(problem(value, 3, output)) < 120


def test_a_number_of_thousands_of_digits_can_be_described():
    assert compare.describe(10**5000) == "int that is too long to show"


def test_a_string_may_be_numpys():
    assert problem(np.str_("a"), "a", WORD) is None
    assert problem("b", "a", WORD) == "token is wrong; you returned str 'b'."
    assert "expected a string, received int 3" in problem(3, "a", WORD)


# --- error relative to the norm ----------------------------------------------------------------


def test_error_is_relative_to_the_norm_of_what_was_expected():
    assert compare.relative_error(np.array([3.0, 4.5]), np.array([3.0, 4.0])) == pytest.approx(0.1)


def test_error_against_zeros_is_absolute():
    assert compare.relative_error(np.array([0.0, 1e-3]), np.zeros(2)) == pytest.approx(1e-3)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1.0, 1e200, 1e300])
def test_error_neither_overflows_nor_underflows(scale):
    expected = scale * np.array([1.0, -2.0, 2.0])
    assert compare.relative_error(expected, expected) == 0
    assert compare.relative_error(1.5 * expected, expected) == pytest.approx(0.5)
    assert compare.relative_error(-expected, expected) == pytest.approx(2.0)


@pytest.mark.parametrize("part, expected", [(np.nan, 1.0), (np.inf, 1.0), (1.0, np.inf), (-np.inf, np.inf), (np.nan, np.inf)])
def test_error_is_infinite_where_only_one_is_finite(part, expected):
    assert compare.relative_error(part, expected) == math.inf


def test_equal_infinities_are_right():
    values = np.array([-np.inf, 1.0, np.inf])
    assert compare.relative_error(values, values) == 0


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6))
def test_error_of_a_value_against_itself_is_zero(values):
    assert compare.relative_error(np.array(values), np.array(values)) == 0


# --- each time step by its own norm ------------------------------------------------------------


def _fading(per_step: bool) -> tuple[np.ndarray, Output]:
    return np.array([[1e-12, 2e-12], [1e-6, 1e-6], [1.0, 1.0]]), Output("dX", "array", ("T", "N"), per_step=per_step)


def test_error_of_a_small_step_drowns_unless_compared_step_by_step():
    expected, whole = _fading(per_step=False)
    _, stepwise = _fading(per_step=True)
    wrong = expected.copy()
    wrong[0] *= 2
    assert problem(wrong, expected, whole) is None
    message = problem(wrong, expected, stepwise)
    assert "dX first differs at step 1 of 3, dX[0] in code" in message and "relative error 1)" in message


def test_right_values_pass_step_by_step():
    expected, stepwise = _fading(per_step=True)
    assert problem(expected * (1 + 1e-12), expected, stepwise) is None


def test_a_step_of_zeros_is_compared_absolutely():
    expected, stepwise = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]), _fading(per_step=True)[1]
    assert problem(expected + 1e-12, expected, stepwise) is None
    assert "step 1 of 3" in problem(expected + 1e-6, expected, stepwise)


def test_nan_at_one_step_is_named_there():
    expected, stepwise = _fading(per_step=True)
    wrong = expected.copy()
    wrong[1, 1] = np.nan
    message = problem(wrong, expected, stepwise)
    assert "step 2 of 3" in message and "sequence n=1" in message and "not a finite number" in message


# --- tuples ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [tuple, list])
def test_several_results_may_come_as_tuple_or_list(kind):
    H = np.ones((3, 2))
    assert problem(kind([H, 2.0]), (H, 2.0), PAIR) is None


@pytest.mark.parametrize("value", [np.ones((3, 2)), (), (np.ones((3, 2)),), (1, 2, 3), None, {"H": 1, "loss": 2}])
def test_another_number_of_results_is_told_with_their_names(value):
    assert problem(value, (np.ones((3, 2)), 2.0), PAIR).startswith("Expected a tuple of 2: (H, loss); received ")


def test_the_first_wrong_part_of_a_tuple_is_named():
    H = np.ones((3, 2))
    assert problem((H, 3.0), (H, 2.0), PAIR).startswith("loss is wrong; you returned 3")
    assert problem((2 * H, 3.0), (H, 2.0), PAIR).startswith("H first differs at step 1 of 3")
    assert problem((H.astype(np.float32), 2.0), (H, 2.0), PAIR) == "H: expected dtype float64, received float32."
    assert "loss: expected one number" in problem((H, None), (H, 2.0), PAIR)


# --- lists -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [tuple, list])
def test_a_list_may_be_a_tuple(kind):
    assert problem(kind("abc"), list("abc"), TOKENS) is None


@pytest.mark.parametrize("value", ["abc", np.array(["a", "b", "c"]), {"a": 1}, None, iter("abc")])
def test_what_is_no_list_is_refused(value):
    assert problem(value, list("abc"), TOKENS).startswith("tokens: expected a list, received ")


def test_wrong_entry_of_a_list_is_named_by_its_place():
    assert problem(list("axc"), list("abc"), TOKENS) == "tokens[1] is wrong; you returned str 'x'."
    assert problem(["a", 3, "c"], list("abc"), TOKENS) == "tokens[1]: expected a string, received int 3."


@pytest.mark.parametrize("value", ["ab", "abcd", ""])
def test_a_list_of_another_length_is_wrong(value):
    assert problem(list(value), list("abc"), TOKENS) == f"tokens has {len(value)} entries where 3 are right."


def test_the_first_wrong_entry_is_told_before_the_length():
    assert problem(list("xb"), list("abc"), TOKENS).startswith("tokens[0] is wrong")


def _batches(count):
    return [(np.full((3, 2), i), np.full((3, 2), i + 1)) for i in range(count)]


LAST_STATES = Output("last_states", "list", items=(Output("last_state", "array", ("N", "H_k")),))
WIDTHS = {"N": 2, "H": 4, "H_1": 3, "H_2": 4}


def test_entries_of_a_list_may_have_sizes_of_their_own():
    assert compare.shape_problem([np.ones((2, 3)), np.ones((2, 4))], LAST_STATES, WIDTHS) is None
    message = compare.shape_problem([np.ones((2, 3)), np.ones((2, 3))], LAST_STATES, WIDTHS)
    assert message == "last_states[1]: expected shape (N=2, H_2=4), received (2, 3)."


def test_an_entry_more_than_there_are_sizes_is_told_by_their_number():
    truth = [np.ones((2, 3)), np.ones((2, 4))]
    assert compare.shape_problem([*truth, np.ones(7)], LAST_STATES, WIDTHS) is None
    assert compare.value_problem([*truth, np.ones(7)], truth, LAST_STATES, 1e-9) == "last_states has 3 entries where 2 are right."


def test_a_place_is_a_unit_on_an_axis_of_its_own_and_a_column_on_a_multiple():
    truth = [np.ones((2, 3)), np.ones((2, 4))]
    wrong = [truth[0], truth[1] + np.eye(4)[[3, 2]] * [[1], [2]]]
    assert "sequence n=1, unit h=2;" in compare.value_problem(wrong, truth, LAST_STATES, 1e-9)
    both = Output("H", "array", ("T", "N", "2H"))
    value = np.ones((3, 2, 4))
    value[1, 0, 3] = 5
    assert "first differs at step 2 of 3, H[1] in code, most at sequence n=0, column 3 of 2H" in compare.value_problem(
        value, np.ones((3, 2, 4)), both, 1e-9)


def test_a_list_of_pairs_of_ids_is_compared_part_by_part():
    right, wrong = _batches(3), _batches(3)
    assert problem(wrong, right, BATCHES) is None
    wrong[2][1][0, 1] = 9
    assert problem(wrong, right, BATCHES) == "Y of batches[2] first differs at [0, 1], axes (T, N); you have 9 there."


def test_a_wrong_pair_in_a_list_is_named():
    assert problem([np.ones((3, 2))], _batches(1), BATCHES).startswith("batches[0]: expected a tuple of 2: (X, Y), received ")
    assert problem([(np.ones((3, 2), int), np.ones((2, 2), int))], _batches(1), BATCHES).startswith("Y of batches[0]: expected shape")


# --- dicts -------------------------------------------------------------------------------------


def _params():
    return {"W": np.ones((2, 2)), "b": np.ones(2)}


@pytest.mark.parametrize("kind", [dict, OrderedDict, lambda items: dict(reversed(items.items()))])
def test_a_dict_of_any_sort_and_order_is_right(kind):
    assert problem(kind(_params()), _params(), PARAMS) is None


@pytest.mark.parametrize("value", [{}, {"W": 1}, {**_params(), "c": 2}, list(_params().values()), {"w": 1, "b": 2}, {1: 2, 3: 4}])
def test_a_dict_with_other_keys_is_told_which_are_expected(value):
    assert problem(value, _params(), PARAMS).startswith("params: expected a dict with the keys W, b, received ")


def test_wrong_entry_of_a_dict_is_named_by_its_key():
    assert problem(_params() | {"b": np.zeros(2)}, _params(), PARAMS).startswith('params["b"] differs')
    assert problem(_params() | {"W": np.zeros(2)}, _params(), PARAMS) == 'params["W"]: expected shape (N=2, N=2), received (2,).'


# --- mappings ----------------------------------------------------------------------------------

COUNTED = {(1, 2): 3, (2, 2): 1, (2, 1): 1}


@pytest.mark.parametrize("kind", [dict, Counter, lambda items: defaultdict(int, items)])
def test_a_mapping_may_be_a_counter_or_a_defaultdict(kind):
    call = checks_run.in_process(lambda: kind(COUNTED))
    assert problem(call({}).value, COUNTED, COUNTS) is None


def test_keys_may_hold_numpys_numbers():
    assert problem({tuple(np.array(key)): np.int64(n) for key, n in COUNTED.items()}, COUNTED, COUNTS) is None


def test_a_stranger_among_the_keys_is_shown():
    assert problem({**COUNTED, (7, 8): 1}, COUNTED, COUNTS) == "counts has a key that should not be there, such as (7, 8)."
    assert "4 keys that should not be there" in problem({i: 1 for i in range(4)}, COUNTED, COUNTS)


def test_a_long_key_is_cut():
    assert len(problem({"x" * 10_000: 1}, COUNTED, COUNTS)) < 120
    assert len(compare.describe({"x" * 10_000: 1})) < 120


def test_missing_keys_are_counted_and_not_shown():
    assert problem({(1, 2): 3}, COUNTED, COUNTS) == "counts lacks 2 keys: you have 1 of 3."


def test_wrong_value_of_a_key_is_named():
    assert problem({**COUNTED, (2, 2): 5}, COUNTED, COUNTS) == "counts[(2, 2)] is wrong; you returned 5."
    assert "counts[(2, 2)]: expected one whole number, received float" in problem({**COUNTED, (2, 2): 1.0}, COUNTED, COUNTS)


@pytest.mark.parametrize("value", [[], list(COUNTED.items()), None, 3])
def test_what_is_no_mapping_is_refused(value):
    assert problem(value, COUNTED, COUNTS).startswith("counts: expected a dict, received ")


# --- how alike two results are, for naming a mistake -------------------------------------------


@pytest.mark.parametrize("value", [
    np.ones((2, 2)), [1, 2.0, "a"], (np.arange(3), None), {"W": np.ones(2)}, {(1, 2): 3}, "text", 3, 2.5, True, None,
])
def test_a_result_is_close_to_its_copy(value):
    assert known.close(checks_run.copy_of(value), value, 1e-9)


@pytest.mark.parametrize("a, b", [
    (1, 1.0), (1.0, 1), (True, 1), ("a", "b"), ([1], [1, 2]), ([1], 1), ({"a": 1}, {"b": 1}), ({"a": 1}, [1]), (None, 0),
    (np.ones(2), np.ones((2, 1))), (np.ones(2), np.ones(2, int)), (np.ones(2), [1.0, 1.0]), (np.ones(2), 1.5 * np.ones(2)),
])
def test_results_that_differ_are_not_close(a, b):
    assert not known.close(a, b, 1e-9)


def test_strings_and_keys_of_numpy_are_close_to_pythons():
    assert known.close(np.str_("a"), "a", 1e-9)
    assert known.close({(np.int64(1),): 2}, {(1,): 2}, 1e-9)


# --- judges, and faults of the course ----------------------------------------------------------


def _task(reference=lambda x: 2.0 * x, judge=None, mistakes=()):
    case = Case("three", {"x": 3.0}, judge)
    return Task(
        name="double", assignment="00", points=2, section=Section("page", "label", "Title"), arguments={"x": None},
        outputs=(Output("y", "float"),), form_case=lambda rng: Case("one", {"x": 1.0}), value_cases=lambda rng: [case],
        reference=reference, solution=lambda x: 2.0 * x, mistakes=mistakes,
    )


def _broken(*arguments):
    raise ZeroDivisionError("a slip in the course")


@pytest.mark.parametrize("task", [_task(reference=_broken), _task(judge=_broken)], ids=["reference", "judge"])
def test_a_fault_of_the_course_is_told_as_one_and_costs_the_learner_nothing(task):
    with pytest.raises(checks_run.CourseFault, match="double failed on the case “three”.*fault of the course and not of your function"):
        checks_run.run(task, checks_run.in_process(lambda x: 2.0 * x))


def test_a_fault_of_the_course_is_no_failed_check():
    assert not issubclass(checks_run.CourseFault, CheckFailed)


def test_a_fault_is_not_met_by_a_function_that_fails_before():
    record = checks_run.run(_task(reference=_broken), checks_run.in_process(lambda x: "two"))
    assert record.points == 0 and "expected one number" in record.message


def test_a_judge_may_make_further_calls_and_says_what_is_wrong():
    def judge(value, call):
        again = call({"x": 3.0})
        return None if again.value == value else "the same argument gives another result."

    numbers = iter(range(100))
    assert checks_run.run(_task(judge=judge), checks_run.in_process(lambda x: 2.0 * x)).passed
    record = checks_run.run(_task(judge=judge), checks_run.in_process(lambda x: float(next(numbers))))
    assert record.message == "the same argument gives another result." and record.points == 0


def test_a_mistake_may_say_itself_when_it_agrees():
    sign = Mistake("sign", "a function with the wrong sign", lambda x: -x, agrees=lambda case, seen, variant: seen.value < 0)
    task = _task(mistakes=(sign,))
    assert checks_run.run(task, checks_run.in_process(lambda x: -17.0)).mistakes == ["sign"]
    assert checks_run.run(task, checks_run.in_process(lambda x: 17.0)).mistakes == []
    assert "wrong sign" in as_text(checks_run.run(task, checks_run.in_process(lambda x: -17.0)))
