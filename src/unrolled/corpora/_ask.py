"""The questions that every corpus asks of its arguments before it does any work."""

import operator


def whole_number(value: object, name: str, least: int = 0) -> int:
    """Return `value` as an int of at least `least`.

    Raises TypeError when it is no whole number, ValueError when it is too small.
    """
    if isinstance(value, bool):
        raise TypeError(f"{name} should be a whole number, but it is {value!r}; pass an int.")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} should be a whole number, but it is {value!r} ({type(value).__name__}); pass an int."
        ) from None
    if number < least:
        raise ValueError(f"{name} should be at least {least}, but it is {number}; pass a larger one.")
    return number
