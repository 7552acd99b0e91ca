"""The tenant gate: the signing rule applied to a request, once."""

from toolbridge_contract.mock.messages import Request
from toolbridge_contract.signing import Rejection, verify


def judge(request: Request, secret: str, now_ns: int) -> Rejection | None:
    """Return why the tenant headers are refused, None if they are not.

    The first verdict on a request stays: the recorder and the gate must not differ by the time
    between them, and the MAC costs more than anything else in a request.
    """
    if request.verdict is None:
        values = request.values
        rejection = verify(
            values.get(b"x-tb-tenant-id"),
            values.get(b"x-tb-timestamp"),
            values.get(b"x-tb-signature"),
            secret,
            now_ns,
        )
        request.verdict = (rejection,)
    return request.verdict[0]
