"""Section 20: sizes."""

from toolbridge_contract.provider.case import Case, Want
from toolbridge_contract.provider.matchers import Echo
from toolbridge_contract.provider.wants import error, item

_MIB = 1 << 20
_SLOW = {8: "a body of 8 MiB", 10: "a body of 10 MiB", 32: "32 MiB", 64: "64 MiB"}


def _string(mib: int) -> bytes:
    return b"{" + _member(mib) + b"}"


def _member(mib: int) -> bytes:
    return b'"a":"' + b"x" * (mib * _MIB) + b'"'


def _keys() -> bytes:
    return b"{%b}" % b",".join(b'"k%d":%d' % (number, number) for number in range(20_000))


def _sorted_keys() -> bytes:
    numbers = sorted(range(20_000), key=str)
    return b",".join(b'"k%d":%d' % (number, number) for number in numbers)


def _echo(mib: int) -> Case:
    return Case(
        f"size-{mib}-mib",
        "POST",
        "/v1/notes",
        Want(201, "J RL chunked", Echo(lambda: _member(mib))),
        body=lambda: _string(mib),
        slow=_SLOW.get(mib, ""),
        user="large",
    )


CASES = (
    *(_echo(mib) for mib in (1, *_SLOW)),
    Case(
        "size-270-mib",
        "POST",
        "/v1/notes",
        error(500, "failed to create note"),
        body=lambda: _string(270),
        slow="a body of 270 MiB",
        user="large",
    ),
    Case(
        "size-trailing-spaces",
        "POST",
        "/v1/notes",
        item(201, 1, "J RL close", a=1),
        body=lambda: b'{"a":1}' + b" " * (5 * _MIB),
    ),
    Case(
        "size-20000-keys",
        "POST",
        "/v1/notes",
        Want(201, "J RL chunked", Echo(_sorted_keys)),
        body=_keys,
    ),
    Case(
        "size-list-has-no-cap",
        "GET",
        "/v1/notes",
        Want(200, "J RL chunked", Echo(lambda: _member(8), listed=True)),
        given=("empty", "large note"),
        slow="a list of 8 MiB",
        user="large",
    ),
    Case(
        "size-body-never-finished",
        "POST",
        "/v1/notes",
        error(400, "invalid JSON", "J RL close"),
        body='{"a":',
        change={"Content-Length": "100"},
        wire=True,
        slow="the read timeout of 15 s",
    ),
)
