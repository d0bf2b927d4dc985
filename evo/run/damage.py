"""Damage inside what a run has on record, where the database as such is whole: said in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evo.errors import UserError

__all__ = ["DAMAGES", "reading"]

DAMAGES = (ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What taking a damaged document apart ends in."""


@contextmanager
def reading(database: Path, what: str) -> Iterator[None]:
    """Take apart something in a run's database. Raises UserError, naming it, if it is not what evo wrote."""
    try:
        yield
    except DAMAGES as error:
        raise UserError(
            f"{database}: {what} is damaged ({type(error).__name__}: {error}); begin a new run from its calls: "
            f"python -m evo.search --run {database.parent} --fork NAME"
        ) from error
