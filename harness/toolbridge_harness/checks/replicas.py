"""Several machines of the proxy, and of the Go API, behind balancers without affinity."""

from dataclasses import replace
from typing import Any

from toolbridge_harness.fronts.round_robin import RoundRobin, round_robin
from toolbridge_harness.fronts.views import address_of, two_machines
from toolbridge_harness.model import Profile, Severity, Vantage
from toolbridge_harness.registry import check
from toolbridge_harness.target import Caller, Target
from toolbridge_harness.verdicts import Advisory, Untestable, Violation, require, require_equal
from toolbridge_harness.wire import Call, Reply, initialize

# Two processes start, or three, each with half a minute of patience.
_STARTS_SECONDS = 90.0
_NOTES = 4
# Making a session and using it, twice, and one repetition of a read.
_REQUESTS_PER_CALL = 5


class _Client:
    """A client that begins again when its MCP session is unknown, as the protocol wants."""

    def __init__(self, caller: Caller) -> None:
        self._caller, self.begun_again = caller, 0

    async def call(self, name: str, arguments: dict[str, Any]) -> Any:
        """Call a tool on whichever machine has its turn; anything but success is a Violation."""
        reply = await self._caller.call(name, arguments)
        if reply.status == 404 and self._caller.session is not None:
            self.begun_again += 1
            self._caller.session = None
            reply = await self._caller.call(name, arguments)
        if not reply.ok:
            raise Violation(f"{name} to succeed on every machine", reply.brief)
        return reply.data


def _both_served(front: RoundRobin) -> None:
    if len(front.served) < 2:
        raise Untestable("only one of the two machines was asked")


@check(
    "sessions-two-machines",
    "Any of two machines can go on with what the other began",
    severity=Severity.HIGH,
    catalogue=("SES-29", "DEP-08"),
    source="MCP 2025-11-25 transports, session management; fly scale count 2",
    remedy="Keep nothing between requests in one machine's memory that the other needs: "
    "serve MCP statelessly (stateless_http=True).",
    why="The edge asks any machine: what one keeps to itself fails every other time.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM, Vantage.RESTART},
    profile=Profile.FULL,
    seconds=_STARTS_SECONDS,
    explained_by=("control-token", "tools-note-life-cycle", "tools-list-walk"),
    broken="with two machines, requests fail that succeed on one",
)
async def machines_are_interchangeable(target: Target, caller: Caller) -> None:
    """Greets, writes, reads, pages and changes, each request on the other machine."""
    async with two_machines(target) as (view, front):
        user = view.caller()
        if not view.deployment.stateful:
            await _greeting(view, user)
        client = _Client(user)
        uid = (await _written_and_listed(client, user))[0]
        for content in ("first", "second"):
            await client.call("patch_note", {"uid": uid, "updates": {"content": content}})
            for _ in range(2):
                note = await client.call("get_note", {"uid": uid})
                require_equal(content, note["payload"].get("content"), "content just written:")
        _both_served(front)
        if client.begun_again:
            raise Advisory(
                "no MCP session that only one machine knows",
                f"{client.begun_again} sessions unknown to the other: the edge needs affinity",
            )


async def _written_and_listed(client: _Client, user: Caller) -> list[str]:
    """Write notes, read each, list them page by page, and return their uids."""
    texts = [{"title": user.text(), "content": str(number)} for number in range(_NOTES)]
    made = [(await client.call("create_note", text))["uid"] for text in texts]
    found = [(await client.call("get_note", {"uid": uid}))["uid"] for uid in made]
    require_equal(made, found, "notes read back:")
    listed: list[str] = []
    cursor: dict[str, str] = {}
    for _ in made:
        page = await client.call("list_notes", {"limit": 1, **cursor})
        listed += [item["uid"] for item in page["items"]]
        cursor = {"cursor": page["nextCursor"]} if page.get("nextCursor") else {}
    require_equal(sorted(made), sorted(listed), "notes, page by page:")
    return made


async def _greeting(view: Target, user: Caller) -> None:
    """Shake hands on one machine, and go on on the other."""
    for call in (initialize(), Call("notifications/initialized"), Call("tools/list"), Call("ping")):
        reply = await view.send(replace(call, token=user.token))
        require(reply.status in (200, 202), f"{call.method} to succeed", reply.brief)
        require(not reply.rpc_error, f"{call.method} to succeed", reply.brief)


@check(
    "sessions-upstream-replicas",
    "Two Go APIs that do not share sessions end in a clear error, never in a storm",
    severity=Severity.MEDIUM,
    catalogue="SES-22",
    source="error contract: 428; check catalogue SES-22",
    remedy="Make one new session per call at most, then answer session_unavailable.",
    why="The Go API keeps sessions in its memory: with two replicas each call may meet the other.",
    needs={Vantage.TOKENS, Vantage.UPSTREAM, Vantage.RESTART},
    profile=Profile.FULL,
    seconds=_STARTS_SECONDS,
    explained_by=("control-token", "sessions-bounded-recovery", "sessions-recovered-read"),
    broken="replicas of the Go API without shared sessions cause a storm, or a misleading error",
)
async def replicas_cause_no_storm(target: Target, caller: Caller) -> None:
    """Calls six times with two Go APIs taking turns, and counts what both were asked."""
    stack = target.stack
    same = target.another_mock(jwt_secret=stack.jwt_secret, tenant_secret=stack.tenant_secret)
    async with same as other:
        upstream = [address_of(stack.mock_url), address_of(other.url)]
        async with (
            round_robin(upstream, stack.starter.launch.mock_host) as front,
            target.restarted({"TOOLBRIDGE_GO_API_BASE_URL": front.url}) as view,
        ):
            user = view.caller()
            for number in range(6):
                before = await _asked(user, other.control)
                reply = await user.call("list_notes", {"limit": 1})
                sent = await _asked(user, other.control) - before
                bounded = 0 < sent <= _REQUESTS_PER_CALL
                wanted = f"1 to {_REQUESTS_PER_CALL} upstream requests for call {number + 1}"
                require(bounded, wanted, sent)
                _session_is_named(reply)
            _both_served(front)


async def _asked(user: Caller, other: Any) -> int:
    """Return how many requests both had, without the ends of sessions."""
    asked = [*await user.upstream(), *await other.requests(user.sub)]
    return len([request for request in asked if request.method != "DELETE"])


def _session_is_named(reply: Reply) -> None:
    named = reply.ok or reply.code == "session_unavailable"
    require(named, "success, or the error session_unavailable", reply.brief)
