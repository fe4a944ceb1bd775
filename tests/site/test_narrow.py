"""64-bit integers where an index has 32 bits: what a page's NumPy refuses is taken there, too."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from unrolled.site import narrow, wheels


def strict(function, place):
    """A function of NumPy as it is in a page: it refuses integers that are wider than 32 bits."""

    def refusing(*arguments, **named):
        for value in [*arguments[place : place + 1], *named.values()]:
            if not np.can_cast(np.asarray(value).dtype, np.int32):
                raise TypeError("Cannot cast array data from dtype('int64') to dtype('int32') according to the rule 'safe'")
        return function(*arguments, **named)

    return refusing


@pytest.fixture
def page():
    numpy = SimpleNamespace(bincount=strict(np.bincount, 0), repeat=strict(np.repeat, 1))
    narrow.widen(numpy, np.int32)
    return numpy


def test_wide_ids_are_counted(page):
    assert page.bincount(np.array([0, 2, 2], np.int64)).tolist() == [1, 0, 2]


def test_wide_counts_repeat(page):
    assert page.repeat([5, 6], np.array([1, 2], np.int64)).tolist() == [5, 6, 6]


def test_a_count_by_name_is_taken_too(page):
    assert page.repeat([5, 6], repeats=np.array([1, 2], np.int64)).tolist() == [5, 6, 6]


def test_a_value_that_does_not_fit_is_refused_as_before(page):
    with pytest.raises(TypeError, match="Cannot cast"):
        page.bincount(np.array([2**40], np.int64))


def test_what_holds_no_integers_is_passed_on_as_it_is():
    value = [0.5, 1.5]
    assert narrow.narrowed(value, np.int32) is value


def test_the_wheel_of_the_page_widens_numpy_when_the_course_is_imported(tmp_path):
    wheel = wheels.course_wheel(tmp_path, {})
    code = "import numpy as np; before = np.bincount; import unrolled; assert np.bincount is not before and np.bincount([0, 2]).tolist() == [1, 0, 1]"
    subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(wheel)!r}); {code}"], check=True)
