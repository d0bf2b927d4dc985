"""The two kinds of failure that every room shares."""

__all__ = ["EvoError", "UserError"]


class EvoError(Exception):
    """Base of every error that evo raises on purpose."""


class UserError(EvoError):
    """Bad input: one line that says what is wrong, where, and what to do. Command lines print it and exit with 2."""
