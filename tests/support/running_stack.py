"""The embedded stack for tests that talk to it from outside."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from toolbridge_harness.stack import Launch, Stack, embedded_stack


@contextlib.contextmanager
def running_stack(launch: Launch | None = None) -> Iterator[Stack]:
    """Run mock and proxy beside the test, which may then run commands against them."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    context = embedded_stack(launch)
    try:
        entering = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop)
        yield entering.result(60)
    finally:
        leaving = asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop)
        leaving.result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
