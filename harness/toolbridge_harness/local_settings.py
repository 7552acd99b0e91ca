"""Settings that a command can't do without."""

from toolbridge_harness.config import setting
from toolbridge_harness.errors import UsageProblem


def required(name: str, purpose: str) -> str:
    """Return a variable that must have a value; UsageProblem says what it is needed for."""
    value = setting(name)
    if value is None:
        raise UsageProblem(f"{name} is not set: {purpose}; put it in the environment or in .env")
    return value


def tidy(option: str, value: str) -> str:
    """Return an option's value; UsageProblem for blanks at its edge, which would become part."""
    if value != value.strip():
        raise UsageProblem(f"{option} has blanks or line breaks around its value: remove them")
    return value
