"""The error a user reads."""


class GoldenError(ValueError):
    """One sentence: what is wrong, with which file or option, and what to do."""
