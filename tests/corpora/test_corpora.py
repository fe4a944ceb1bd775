"""The door to all corpora: names, lookup, and a light import."""

import subprocess
import sys

import pytest

from unrolled import corpora


def test_every_name_is_a_function_of_the_package():
    for name in corpora.NAMES:
        assert getattr(corpora, name).__name__ == name


def test_load_passes_arguments_on():
    assert corpora.load("numerals", 3, seed=1) == corpora.numerals(3, seed=1)


def test_a_misspelt_name_is_answered_with_the_known_ones_and_a_guess():
    with pytest.raises(ValueError) as caught:
        corpora.load("toy_englsh")
    message = str(caught.value)
    assert all(name in message for name in corpora.NAMES)
    assert message.endswith("it is 'toy_englsh'; did you mean 'toy_english'?")


@pytest.mark.parametrize("name", ["shakespeare", None, 7, ["digits"]])
def test_any_other_name_is_refused(name):
    with pytest.raises(ValueError, match="name should be one of"):
        corpora.load(name)


def test_everything_that_is_offered_exists():
    assert all(hasattr(corpora, name) for name in corpora.__all__)


def test_import_needs_numpy_and_the_standard_library_only():
    heavy = ["torch", "sklearn", "statsmodels", "pandas", "matplotlib", "scipy", "platformdirs"]
    code = f"import sys, unrolled.corpora; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
