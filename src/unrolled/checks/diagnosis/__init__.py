"""What made a function fail: what is said of it beyond “differs, most at …”."""

from .explain import Explanation, explain
from .known import agrees, known_mistakes

__all__ = ["Explanation", "agrees", "explain", "known_mistakes"]
