"""What made a function fail: what is said of it beyond “differs, most at …”."""

from .known import agrees, known_mistakes

__all__ = ["agrees", "known_mistakes"]
