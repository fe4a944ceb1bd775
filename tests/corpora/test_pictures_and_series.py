"""Bundled pictures and series: shapes, units, gaps, and what is said when their library is missing."""

import sys

import numpy as np
import pytest

from unrolled.corpora import co2, digits, sunspots


def test_digits_are_1797_pictures_from_0_to_1_with_labels_and_words():
    pytest.importorskip("sklearn", reason="install scikit-learn to test the digits")
    images, labels, words = digits()
    assert images.shape == (1797, 8, 8)
    assert images.dtype == np.float64
    assert (images.min(), images.max()) == (0, 1)
    assert labels.shape == (1797,)
    assert labels.dtype == np.int64
    assert set(labels.tolist()) == set(range(10))
    assert [words[k] for k in (0, 7)] == ["zero", "seven"]


def test_sunspots_are_309_years():
    pytest.importorskip("statsmodels", reason="install statsmodels to test the series")
    time, values = sunspots()
    np.testing.assert_array_equal(time, np.arange(1700, 2009))
    assert values.dtype == np.float64
    assert (values.min(), values.max(), values[0]) == (0, 190.2, 5)


def test_co2_is_monthly_without_gaps_and_rises():
    pytest.importorskip("statsmodels", reason="install statsmodels to test the series")
    time, values = co2()
    assert len(time) == len(values) == 526
    np.testing.assert_allclose(np.diff(time), 1 / 12)
    assert time[0] == pytest.approx(1958 + 2.5 / 12)
    assert np.isfinite(values).all()
    assert 50 < values[-12:].mean() - values[:12].mean() < 60


def test_co2_months_equal_the_means_that_pandas_computes():
    pytest.importorskip("statsmodels", reason="install statsmodels to test the series")
    from statsmodels.datasets import co2 as bundled

    expected = bundled.load_pandas().data["co2"].resample("MS").mean()
    assert expected.isna().sum() > 0
    np.testing.assert_allclose(co2().values, expected.interpolate().to_numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("corpus", "module", "advice"),
    [
        (digits, "sklearn.datasets", "pip install scikit-learn"),
        (sunspots, "statsmodels.datasets", "pip install statsmodels"),
        (co2, "statsmodels.datasets", "pip install statsmodels"),
    ],
)
def test_a_missing_library_is_named_with_the_command_that_installs_it(corpus, module, advice, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModuleNotFoundError, match=advice):
        corpus()
