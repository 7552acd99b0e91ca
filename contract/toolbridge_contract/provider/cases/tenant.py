"""Section 3: tenant headers."""

from toolbridge_contract.provider.case import Case, Signed, Want
from toolbridge_contract.provider.wants import BAD_TENANT, NO_PATH, NOTE_LIST
from toolbridge_contract.signing import SIGNATURE_HEADER, TENANT_HEADER, TIMESTAMP_HEADER

_PATH = "/v1/notes?limit=1"
_NAMES = {"tenant": TENANT_HEADER, "timestamp": TIMESTAMP_HEADER, "signature": SIGNATURE_HEADER}
_REFUSED = {
    "all-missing": None,
    "signature-of-zeros": Signed(mac="0" * 64),
    "signature-by-another-secret": Signed(mac="{forged}"),
    "signature-for-another-tenant": Signed(mac="{foreign}"),
    "timestamp-altered": Signed(sent="{ms+1}"),
    "past-301s": Signed(shift=-301),
    "future-301s": Signed(shift=301),
    "timestamp-in-seconds": Signed(stamp="{s}"),
    "timestamp-in-microseconds": Signed(stamp="{us}"),
    "timestamp-not-a-number": Signed(stamp="now"),
    "timestamp-float": Signed(stamp="{ms}.0"),
    "timestamp-int64-max": Signed(stamp="9223372036854775807"),
    "timestamp-beyond-int64": Signed(stamp="9223372036854775808"),
    "timestamp-negative": Signed(stamp="-{ms}"),
    "signature-upper-case": Signed(mac="{upper}"),
}
_SHARP_REFUSED = {"past-300.2s": -300.2, "future-300.3s": 300.3}
_ACCEPTED = {
    "past-299s": Signed(shift=-299),
    "future-299s": Signed(shift=299),
    "timestamp-plus": Signed(stamp="+{ms}"),
    "timestamp-leading-zero": Signed(stamp="0{ms}"),
    "tenant-with-colon": Signed(tenant="a:b"),
    "tenant-utf8": Signed(tenant="té"),
    "tenant-of-2000-characters": Signed(tenant="t" * 2000),
}
_SHARP_ACCEPTED = {"past-299.9s": -299.9, "future-299.9s": 299.9}
_GIVEN = ("one note",)
_KINDS = '{"maxLimit":1000,"push":true,"pull":true}'
_INFO = (
    '{"apiVersion":"1.1","serverTime":"<now>","entities":{'
    + ",".join(
        f'"{name}":{_KINDS}' for name in ("chat_messages", "chats", "comments", "notes", "tasks")
    )
    + '},"locking":{"supported":true,"mode":"session"},"minClientVersion":"0.1.0",'
    '"rateLimit":{"windowSeconds":60,"maxRequests":600,"burst":120},'
    '"hints":{"recommendedBatch":500,"backoffMsOn429":1500}}\n'
)
INFO = Want(200, "J", _INFO)


CASES = (
    *(
        Case(f"tenant-missing-{name}", "GET", _PATH, BAD_TENANT, change={header: None})
        for name, header in _NAMES.items()
    ),
    *(
        Case(f"tenant-empty-{name}", "GET", _PATH, BAD_TENANT, change={header: ""})
        for name, header in _NAMES.items()
    ),
    *(
        Case(f"tenant-{name}", "GET", _PATH, BAD_TENANT, signed=signed)
        for name, signed in _REFUSED.items()
    ),
    *(
        Case(f"tenant-{name}", "GET", _PATH, BAD_TENANT, signed=Signed(shift=shift), timing=True)
        for name, shift in _SHARP_REFUSED.items()
    ),
    *(
        Case(f"tenant-{name}", "GET", _PATH, NOTE_LIST, given=_GIVEN, signed=signed)
        for name, signed in _ACCEPTED.items()
    ),
    *(
        Case(
            f"tenant-{name}",
            "GET",
            _PATH,
            NOTE_LIST,
            given=_GIVEN,
            signed=Signed(shift=shift),
            timing=True,
        )
        for name, shift in _SHARP_ACCEPTED.items()
    ),
    Case(
        "tenant-spaces-around",
        "GET",
        _PATH,
        NOTE_LIST,
        given=_GIVEN,
        signed=Signed(pad="  "),
        wire=True,
    ),
    Case("tenant-names-lower-case", "GET", _PATH, NOTE_LIST, given=_GIVEN, lower=True),
    Case(
        "tenant-triple-replayed",
        "GET",
        _PATH,
        NOTE_LIST,
        given=_GIVEN,
        at_once=2,
    ),
    Case("tenant-checked-on-session-routes", "POST", "/v1/sync/sessions", BAD_TENANT, signed=None),
    Case("tenant-not-needed-on-info", "GET", "/v1/sync/info", INFO, signed=None),
    Case(
        "tenant-before-session",
        "GET",
        "/v1/notes",
        BAD_TENANT,
        signed=Signed(mac="0" * 64),
        session=False,
    ),
    Case("tenant-after-path", "GET", "/v1/nope", NO_PATH, signed=Signed(mac="0" * 64)),
)
