"""Quiz files: what is refused and with which sentence, what counts as right, and computed keys."""

import dataclasses
import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from unrolled import quizzes
from unrolled.quizzes import Choice, Mistake, Question, grade

# Loading


def test_a_file_holds_two_lists_of_questions(small_quiz):
    assert small_quiz.name == "rnn"
    assert [question.kind for question in small_quiz.before + small_quiz.after] == ["one", "many", "number", "text"]
    assert small_quiz.part("before") == small_quiz.before
    assert small_quiz.before[0].choices[1] == Choice(
        id="b", text="$(H, N)$, a column a sequence", right=False, feedback=r"That is the transpose, $\mathbf H_t^\top$."
    )


def test_a_question_knows_its_line(small_quiz):
    text = small_quiz.path.read_text().splitlines()
    for question in small_quiz.before + small_quiz.after:
        assert text[question.line - 1] == f"- id: {question.id}"


def test_a_third_part_is_refused(small_quiz):
    with pytest.raises(quizzes.QuizError, match="before and after, received 'during'"):
        small_quiz.part("during")


def test_an_unknown_name_lists_the_known_ones_nearest_first(tmp_path):
    for name in ["bptt", "lstm", "rnn", "rnn-scratch"]:
        (tmp_path / f"{name}.yml").touch()
    with pytest.raises(quizzes.QuizError) as caught:
        quizzes.find("rn", tmp_path)
    assert "No quiz is called 'rn'" in str(caught.value)
    assert "holds rnn, rnn-scratch, " in str(caught.value)


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    with pytest.raises(quizzes.QuizError, match="holds no .yml file"):
        quizzes.find("rnn", tmp_path)


def test_words_that_older_yaml_took_for_booleans_stay_words(tmp_path):
    path = tmp_path / "q.yml"
    question = "{id: a, kind: text, prompt: p, accept: [yes, no, on, 2008-01-01], right: r, wrong: w}"
    path.write_text(f"before: [{question}]\nafter: [{question.replace('id: a', 'id: b')}]")
    assert quizzes.load(path).before[0].accept == ("yes", "no", "on", "2008-01-01")


def test_a_number_may_be_written_with_an_exponent(tmp_path):
    path = tmp_path / "q.yml"
    question = "{id: a, kind: number, prompt: p, answer: 1e-3, tolerance: 5e-5, right: r, wrong: w}"
    path.write_text(f"before: [{question}]\nafter: [{question.replace('id: a', 'id: b')}]")
    assert quizzes.load(path).before[0].answer == 0.001


# The order in which choices are shown


def with_choices(number, **fields):
    choices = tuple(Choice(chr(97 + place), f"text {place}", place == 0, f"reason {place}") for place in range(number))
    return Question("q", "one", "?", 1, choices=choices, **fields)


def test_choices_are_shown_in_an_order_of_their_own_that_is_always_the_same():
    shown = {with_choices(6).shown for _ in range(3)}
    assert len(shown) == 1
    assert set(*shown) == set(with_choices(6).choices) and shown != {with_choices(6).choices}


def test_another_place_in_the_file_does_not_move_a_choice_in_the_page():
    question = with_choices(6)
    turned = dataclasses.replace(question, choices=question.choices[::-1])
    assert turned.shown == question.shown


def test_choices_that_are_a_scale_are_shown_as_they_are_written():
    question = with_choices(6, keep_order=True)
    assert question.shown == question.choices


@given(st.sampled_from("abcdef"))
def test_a_choice_that_speaks_of_the_others_is_shown_last(name):
    question = with_choices(6)
    choices = tuple(dataclasses.replace(choice, last=choice.id == name) for choice in question.choices)
    assert dataclasses.replace(question, choices=choices).shown[-1].id == name


def test_the_order_depends_on_the_question():
    orders = {tuple(choice.id for choice in dataclasses.replace(with_choices(4), id=f"q{number}").shown) for number in range(40)}
    assert len(orders) > 10


# The course


def test_an_id_in_two_files_is_refused(raw, tmp_path):
    for name in ["rnn", "lstm"]:
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(raw))
    with pytest.raises(quizzes.QuizError, match="question 'shape-of-h', field 'id': expected an id that is unique in the course.* lstm.yml, too"):
        quizzes.find_all(tmp_path)


def test_a_file_that_has_changed_is_read_again(raw, tmp_path):
    path = tmp_path / "rnn.yml"
    path.write_text(yaml.safe_dump(raw))
    assert quizzes.load(path) is quizzes.load(path)
    raw["before"][0]["prompt"] = "Another prompt?"
    path.write_text(yaml.safe_dump(raw))
    assert quizzes.load(path).before[0].prompt == "Another prompt?"


# What is refused


def spoil(raw, path, value):
    """Set the field at ``path`` of ``raw``, or delete it when ``value`` is None."""
    *way, last = path
    target = raw
    for step in way:
        target = target[step]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return raw


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (["after"], None, "rnn.yml, field 'after': expected a value, received nothing."),
        (["before"], [], "rnn.yml, field 'before': expected at least 1 entry, received 0."),
        (["during"], [], "rnn.yml, field 'during': expected one of the fields before, after, received an unknown field."),
        (["before", 0, "id"], None, "rnn.yml, question 1 of before, field 'id': expected a value, received nothing."),
        (
            ["before", 0, "id"],
            "Shape of H",
            "rnn.yml, question 'Shape of H', field 'id': expected lower-case letters, digits and single hyphens, "
            "received 'Shape of H'.",
        ),
        (
            ["before", 0, "choices", 1, "feedback"],
            None,
            "rnn.yml, question 'shape-of-h', field 'choices[1].feedback': expected a value, received nothing.",
        ),
        (
            ["before", 0, "choices", 1, "feedback"],
            " ",
            "rnn.yml, question 'shape-of-h', field 'choices[1].feedback': expected some text, received an empty one.",
        ),
        (
            ["before", 0, "choices", 1, "text"],
            42,
            "rnn.yml, question 'shape-of-h', field 'choices[1].text': expected a text, received 42 (put it in quotes).",
        ),
        (
            ["before", 0, "choices", 0, "right"],
            "yes",
            "rnn.yml, question 'shape-of-h', field 'choices[0].right': expected true or false, received 'yes'.",
        ),
        (
            ["before", 0, "choices", 1, "feedbck"],
            "x",
            "rnn.yml, question 'shape-of-h', field 'choices[1].feedbck': expected one of the fields id, text, right, "
            "feedback, last, received an unknown field (did you mean feedback?).",
        ),
        (
            ["before", 0, "kind"],
            "on",
            "rnn.yml, question 'shape-of-h', field 'kind': expected one of one, many, number, text, received 'on' "
            "(did you mean one?).",
        ),
        (
            ["before", 0, "choices", 1, "right"],
            True,
            "rnn.yml, question 'shape-of-h', field 'choices': expected exactly one right choice, received 2.",
        ),
        (
            ["before", 1, "choices", 0, "right"],
            True,
            "rnn.yml, question 'what-grows', field 'choices': expected at least one right and one wrong choice, "
            "received 3 right of 3.",
        ),
        (
            ["before", 1, "choices", 1, "text"],
            "the number of parameters",
            "rnn.yml, question 'what-grows', field 'choices[1].text': expected choices that differ, "
            "received one that stands twice.",
        ),
        (
            ["after", 1, "id"],
            "what-grows",
            "rnn.yml, question 'what-grows', field 'id': expected an id that is unique in the file, "
            "received one that stands twice.",
        ),
        (
            ["after", 0, "answer"],
            "many",
            "rnn.yml, question 'parameters', field 'answer': expected a number, received 'many'.",
        ),
        (
            ["after", 0, "tolerance"],
            -1,
            "rnn.yml, question 'parameters', field 'tolerance': expected a tolerance of 0 or more, received -1.",
        ),
        (
            ["after", 0, "tolerance"],
            "some",
            "rnn.yml, question 'parameters', field 'tolerance': expected a number, or a percentage such as 2%, "
            "received 'some'.",
        ),
        (
            ["after", 0, "mistakes", 0, "answer"],
            32.4,
            "rnn.yml, question 'parameters', field 'mistakes[0].answer': expected a number further from answer (32) "
            "than the tolerance, received 32.4.",
        ),
        (
            ["after", 1, "mistakes", 0, "answer"],
            "bptt ",
            "rnn.yml, question 'its-name', field 'mistakes[0].answer': expected an answer that differs from accept[1], "
            "received 'bptt '.",
        ),
        (
            ["after", 1, "accept", 0],
            "Q",
            "rnn.yml, question 'its-name', field 'accept[0]': expected an answer that differs from the letter that "
            "leaves a quiz in the terminal, received 'Q'.",
        ),
        (
            ["before", 1, "choices", 2, "id"],
            "a",
            "rnn.yml, question 'what-grows', field 'choices[2].id': expected ids that differ, received 'a' twice.",
        ),
        (
            ["before", 1, "choices", 2, "id"],
            None,
            "rnn.yml, question 'what-grows', field 'choices[2].id': expected a value, received nothing.",
        ),
        (
            ["after", 0, "compute"],
            "3 * ",
            "rnn.yml, question 'parameters', field 'compute': expected a Python expression, received invalid syntax.",
        ),
    ],
)
def test_a_fault_is_told_by_file_question_and_field(raw, error_of, path, value, sentence):
    assert error_of(spoil(raw, path, value)) == sentence


def test_a_misspelt_field_is_named_before_the_field_it_should_be(raw, error_of):
    choice = raw["before"][0]["choices"][1]
    choice["feedbck"] = choice.pop("feedback")
    assert "received an unknown field (did you mean feedback?)" in error_of(raw)


def test_a_fault_in_before_is_told_before_one_in_after(raw, error_of):
    del raw["after"][0]["id"]
    del raw["before"][1]["prompt"]
    assert error_of(raw).startswith("rnn.yml, question 'what-grows', field 'prompt'")


def test_a_yaml_error_names_file_and_line(error_of):
    assert error_of("before:\n- id: a\n  prompt: so: what\n").startswith("rnn.yml, line 3: expected YAML, received an error")


def test_a_key_that_stands_twice_is_refused(error_of):
    assert "rnn.yml, line 3: " in error_of("before:\n- id: a\n  id: b\n")
    assert "the key 'id' stands twice in one place" in error_of("before:\n- id: a\n  id: b\n")


def test_latex_in_double_quotes_is_refused_rather_than_mangled(error_of):
    sentence = error_of('before:\n- id: a\n  prompt: "$\\times$"\n')
    assert "line 3" in sentence and r"in double quotes \t is an escape; use single quotes" in sentence


def test_an_empty_file_is_refused(error_of):
    assert error_of("") == "rnn.yml: expected a mapping of fields, received nothing."


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "rnn.yml").write_bytes(b"\xff")
    with pytest.raises(quizzes.QuizError, match="expected UTF-8, received byte 0xff"):
        quizzes.find("rnn", tmp_path)


# Grading

ONE = Question("q", "one", "?", 1, keep_order=True, choices=(Choice("a", "x", False, "A"), Choice("b", "y", True, "B"), Choice("c", "z", False, "C")))
MANY = Question("q", "many", "?", 1, keep_order=True, choices=(Choice("a", "x", True, "A"), Choice("b", "y", True, "B"), Choice("c", "z", False, "C")))


def number(answer=2.0, tolerance=0.0, mistakes=()):
    return Question(
        "q", "number", "?", 1, answer=answer, tolerance=tolerance, right="R", wrong="W", mistakes=tuple(mistakes)
    )


TEXT = Question("q", "text", "?", 1, accept=("Hidden State",), right="R", wrong="W", mistakes=(Mistake("layer", "M"),))


def test_the_right_choice_earns_its_feedback():
    assert grade(ONE, ["b"]) == quizzes.Verdict(True, ("B",))


def test_a_wrong_choice_earns_its_own_feedback():
    assert grade(ONE, ["c"]) == quizzes.Verdict(False, ("C",))


def test_all_right_choices_and_no_other_are_right():
    assert grade(MANY, ["b", "a"]) == quizzes.Verdict(True, ("A", "B"))
    assert grade(MANY, "abc") == quizzes.Verdict(False, ("A", "B", "C"))


def test_some_of_the_right_choices_are_said_to_be_not_all():
    assert grade(MANY, ["a"]) == quizzes.Verdict(False, ("A", quizzes.INCOMPLETE))


@pytest.mark.parametrize(("question", "response"), [(MANY, []), (ONE, ["d"]), (ONE, ["a", "b"]), (MANY, ["a", "d"]), (number(), "two"), (TEXT, "  ")])
def test_what_is_no_answer_is_not_judged(question, response):
    with pytest.raises(quizzes.ResponseError):
        grade(question, response)


@given(st.sets(st.sampled_from("abc"), min_size=1))
def test_many_is_right_exactly_for_the_set_of_right_choices(chosen):
    verdict = grade(MANY, chosen)
    assert verdict.correct == (chosen == {"a", "b"})
    assert verdict.messages[: len(chosen)] == tuple(one.upper() for one in sorted(chosen))


@pytest.mark.parametrize("typed", ["2", " 2.0 ", "+2", "2e0", "0.2E1", "20e-1", "2."])
def test_a_number_may_be_typed_in_several_ways(typed):
    assert grade(number(), typed).correct


@pytest.mark.parametrize("typed", ["", "nan", "inf", "1e999", "2,0", "1_0", "0x2", "٢", "2 3"])
def test_what_is_no_plain_number_is_not_judged(typed):
    with pytest.raises(quizzes.ResponseError, match="Type a number"):
        grade(number(), typed)


def test_a_tolerance_is_absolute_or_in_per_cent_of_the_answer():
    assert grade(number(50, 0.5), 50.5).correct and not grade(number(50, 0.5), 50.51).correct
    assert grade(number(50, "2%"), 51).correct and not grade(number(50, "2%"), 51.01).correct
    assert grade(number(-50, "2 %"), -49).correct


def test_a_known_wrong_number_earns_its_own_feedback():
    question = number(32, 0.1, [Mistake(28, "no bias")])
    assert grade(question, "28.05") == quizzes.Verdict(False, ("no bias",))
    assert grade(question, "29") == quizzes.Verdict(False, ("W",))


@given(st.floats(-1e6, 1e6), st.floats(0, 10), st.floats(-1, 1))
def test_every_number_within_the_tolerance_is_right(answer, tolerance, share):
    assert grade(number(answer, tolerance), answer + share * tolerance * (1 - 1e-9)).correct


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 10), st.floats(1.01, 100))
def test_no_number_well_outside_the_tolerance_is_right(answer, tolerance, factor):
    assert not grade(number(answer, tolerance), answer + factor * tolerance + 1e-8 * abs(answer)).correct


@pytest.mark.parametrize("typed", ["hidden state", "  HIDDEN\tstate ", "ｈidden\u00a0state"])
def test_a_text_is_compared_without_case_spacing_and_width(typed):
    assert grade(TEXT, typed) == quizzes.Verdict(True, ("R",))


def test_a_known_wrong_text_earns_its_own_feedback():
    assert grade(TEXT, "Layer") == quizzes.Verdict(False, ("M",))
    assert grade(TEXT, "state") == quizzes.Verdict(False, ("W",))


@given(st.text())
def test_normalising_twice_changes_nothing_more(text):
    assert quizzes.normalise(quizzes.normalise(text)) == quizzes.normalise(text)


# Computed keys


def test_computed_keys_that_agree_pass(small_quiz):
    quizzes.check_computed_keys(small_quiz)


@pytest.mark.parametrize(
    ("part", "position", "expression", "received"),
    [
        ("before", 0, "1", "expected the key [0], received 1 from the expression"),
        ("before", 0, "'$(H, N)$, a column a sequence'", "expected the key [0], received '$(H, N)$"),
        ("before", 1, "[0, 1]", "expected the key [1, 2], received [0, 1] from the expression"),
        ("after", 0, "3 * 4", "expected the key 32, received 12 from the expression"),
        ("after", 1, "'rtrl'", "expected the key ['backpropagation through time', 'BPTT'], received 'rtrl'"),
        ("after", 0, "1 / 0", "expected an expression that gives the key, received ZeroDivisionError"),
    ],
)
def test_a_computed_key_that_disagrees_is_told(raw, error_of, part, position, expression, received):
    raw[part][position]["compute"] = expression
    sentence = error_of(raw)
    assert f"question {raw[part][position]['id']!r}, field 'compute': " in sentence
    assert received in sentence


@pytest.mark.parametrize(
    ("part", "position", "expression"),
    [
        ("before", 0, "'$(N, H)$, a row a sequence'"),
        ("before", 1, "{1, 'the time of the forward pass'}"),
        ("before", 1, "np.flatnonzero([0, 1, 1])"),
        ("after", 0, "np.float64(32.4)"),
        ("after", 0, "sum(32 for _ in [math.pi])"),
        ("after", 0, "32 * (unrolled.quizzes.normalise('A') == 'a')"),
    ],
)
def test_a_computed_key_may_be_given_in_several_forms(raw, tmp_path, part, position, expression):
    raw[part][position]["compute"] = expression
    path = tmp_path / "rnn.yml"
    path.write_text(yaml.safe_dump(raw))
    quizzes.check_computed_keys(quizzes.load(path))


def test_the_module_needs_no_torch_sphinx_or_numpy():
    script = "import sys, unrolled.quizzes; print(*{'torch', 'sphinx', 'numpy', 'rich', 'jsonschema'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "\n"
