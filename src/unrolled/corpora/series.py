"""Real time series: sunspots year by year, and carbon dioxide month by month."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ._carried import carried


class Series(NamedTuple):
    """time: (T,) float64, in years, rising in equal steps. values: (T,) float64, finite."""

    time: np.ndarray
    values: np.ndarray


def sunspots() -> Series:
    """The mean sunspot number of each year from 1700 to 2008 (T = 309).

    Source: the SILSO/NGDC yearly series bundled with statsmodels. Raises ModuleNotFoundError when that is missing.
    """
    if path := carried("sunspots.npz"):
        return _read(path)
    table = _bundled("sunspots")
    return Series(table["YEAR"].to_numpy(np.float64), table["SUNACTIVITY"].to_numpy(np.float64))


def co2() -> Series:
    """Carbon dioxide in the air over Mauna Loa in parts per million, monthly means from March 1958 to December 2001
    (T = 526).

    A month is the mean of its weekly values that were measured; a month without any is filled on the straight line
    between its neighbours. A month's time is its middle: January 1960 is 1960 + 0.5/12. Source: Keeling and Whorf's
    weekly series bundled with statsmodels. Raises ModuleNotFoundError when that is missing.
    """
    if path := carried("co2.npz"):
        return _read(path)
    weekly = _bundled("co2")["co2"]
    month = (weekly.index.year * 12 + weekly.index.month - 1).to_numpy()  # months since year 0
    ppm = weekly.to_numpy(np.float64)
    measured = np.isfinite(ppm)
    first = month.min()
    months = np.arange(first, month.max() + 1)
    total = np.bincount(month[measured] - first, weights=ppm[measured], minlength=len(months))
    count = np.bincount(month[measured] - first, minlength=len(months))
    some = count > 0
    values = np.interp(months, months[some], total[some] / count[some])
    return Series((months + 0.5) / 12, values)


def _read(path: Path) -> Series:
    with np.load(path) as arrays:
        return Series(arrays["time"], arrays["values"])


def _bundled(name: str):
    """The table that statsmodels bundles under that name."""
    try:
        import statsmodels.datasets
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"The series {name!r} comes with statsmodels, but it is not installed here; run `pip install statsmodels`."
        ) from error
    return getattr(statsmodels.datasets, name).load_pandas().data
