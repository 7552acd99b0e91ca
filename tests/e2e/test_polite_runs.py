"""A live deployment after a run: the users of the pool, and nothing that the checks created."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from support.command_line import Finished, read_json, toolbridge
from toolbridge_contract.control import Fault
from toolbridge_contract.tokens import mint
from toolbridge_contract.tools import ENTITIES
from toolbridge_harness.model import Profile, Report
from toolbridge_harness.progress import PlainProgress
from toolbridge_harness.registry import select
from toolbridge_harness.stack import Stack, embedded_stack
from toolbridge_harness.users import SHARE
from toolbridge_harness.verify import Interrupted, Options, verify
from toolbridge_harness.wire import tool_call

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

POOL = [f"toolbridge-verify-{number:02}" for number in range(1, 2 * SHARE + 1)]
# Parents and children, two users, six users at a time, and a walk over a user's whole list.
CHECKS = [
    "tools-comment-life-cycle",
    "isolation-foreign-uid",
    "isolation-interleaved",
    "tools-list-walk",
]


@dataclass
class Live:
    """A deployment, and a run against it as if it were somebody's."""

    stack: Stack
    options: Options

    async def run(self) -> Report:
        return await verify(self.options, PlainProgress())

    async def left(self) -> list[str]:
        """Return the kinds of what all users of the pool own."""
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            found = await asyncio.gather(*(self._owned(http, sub) for sub in POOL))
        return [kind for kinds in found for kind in kinds]

    async def _owned(self, http: httpx.AsyncClient, sub: str) -> list[str]:
        token = mint(sub, self.stack.tenant_id, self.stack.jwt_secret)
        found = []
        for entity in ENTITIES:
            call = tool_call(entity.tool("list"), {"limit": 1000}, token=token)
            answer = await http.post(
                f"{self.stack.proxy_url}/mcp", headers=call.header_list(), content=call.body()
            )
            items = answer.json()["result"]["structuredContent"]["items"]
            found += [entity.singular for _ in items]
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[Stack]:
    """Mock and proxy, up for all tests of this module, which leave nothing for each other."""
    async with embedded_stack() as running:
        yield running


def _live(stack: Stack, patch: pytest.MonkeyPatch, only: list[str], rate: float = 1000) -> Live:
    """Return a run; that it has a rate makes a loopback URL somebody's deployment."""
    patch.setenv("TOOLBRIDGE_JWT_SECRET", stack.jwt_secret)
    options = Options(
        checks=select(Profile.GATE, only),
        profile=Profile.GATE,
        url=stack.proxy_url,
        tenant=stack.tenant_id,
        rate=rate,
    )
    return Live(stack, options)


async def test_a_run_leaves_no_user_and_no_object(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Green, as users of the pool alone, run after run; and every one of them owns nothing."""
    live = _live(stack, monkeypatch, CHECKS)
    reports = [await live.run() for _ in range(2)]
    sent = [r for r in await stack.mock.requests() if r.caller]
    written = [r for r in sent if r.method == "POST" and "/v1/sync/" not in r.target]

    assert [(0, ()), (0, ())] == [(r.exit_code, r.left_behind) for r in reports]
    assert set() == {r.caller for r in sent} - set(POOL)
    assert len(written) > 50
    assert [] == await live.left()


async def test_an_interrupted_run_cleans_up_too(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled in the middle of the writing, a run deletes what it created before it ends."""
    # At this rate the run takes ten seconds or more, and the first note a fraction of that.
    live = _live(stack, monkeypatch, CHECKS, rate=20)
    before = max((r.seq for r in await stack.mock.requests()), default=0)
    running = asyncio.create_task(live.run())
    while not any(r.target == "/v1/notes" for r in await stack.mock.requests(after=before)):
        assert not running.done()
    running.cancel()
    with pytest.raises(Interrupted) as ended:
        await running
    report = ended.value.report

    assert "run-interrupted" == report.causes[0].id
    # A create that was on its way has no known outcome.
    assert {one.certain for one in report.left_behind} <= {False}
    assert len(await live.left()) <= len(report.left_behind)


async def test_what_the_target_does_not_delete_is_listed(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind, user and reason are those of what is really still there."""
    live = _live(stack, monkeypatch, ["tools-list-walk"])
    before = len(await live.left())
    fault = Fault(kind="answer", methods=("DELETE",), times=None, status=500, body=b"{}")
    await stack.mock.inject(fault)
    report = await live.run()
    await stack.mock.clear_faults()
    owners = {one.user for one in report.left_behind}

    assert (7, 7) == (len(report.left_behind), len(await live.left()) - before)
    assert {("chat", True)} == {(one.entity, one.certain) for one in report.left_behind}
    assert owners <= set(POOL)
    assert {"deleting it failed"} == {o.reason.partition(":")[0] for o in report.left_behind}


async def test_the_command_line_spares_what_it_is_told_to(stack: Stack, tmp_path: Path) -> None:
    """A budget ends the run with one cause; what is heavy is listed with how to allow it."""
    report = tmp_path / "run.json"
    spent = await _command(
        stack,
        *("--url", stack.proxy_url, "--budget", "120", "--rate", "1000"),
        *("--only", "tools", "--report", f"json:{report}"),
    )
    document = read_json(report)

    assert (1, "RED the run has used up its budget of 120 requests") == (
        spent.code,
        spent.first_line,
    )
    assert ["run-budget"] == [cause["id"] for cause in document["causes"]]
    assert "--budget 240" in document["causes"][0]["remedy"]
    assert [] == document["left_behind"]


async def test_an_environment_may_allow_what_is_heavy(stack: Stack, tmp_path: Path) -> None:
    """What toolbridge.toml allows runs; the other kind is listed with what would allow it."""
    (tmp_path / "toolbridge.toml").write_text(
        f'[env.mine]\nurl = "{stack.proxy_url}"\nbudget = 100\nallow = ["heavy"]\n'
    )
    done = await _command(
        stack,
        *("--env", "mine", "--only", "limits-json-bombs", "--only", "transport-smuggling"),
        cwd=tmp_path,
    )

    assert (0, 1, 1) == (done.code, done.count("passed"), done.count("did not apply"))
    assert "to enable, --allow destructive" in done.out


async def _command(stack: Stack, *arguments: str, cwd: Path | None = None) -> Finished:
    secrets = {"TOOLBRIDGE_JWT_SECRET": stack.jwt_secret, "TOOLBRIDGE_TENANT_ID": stack.tenant_id}
    return await asyncio.to_thread(toolbridge, "verify", *arguments, cwd=cwd, **secrets)
