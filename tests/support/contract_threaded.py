"""The served mock in a thread of this process, so that it can be broken; with TLS too."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import trustme
import uvicorn

from support.contract_caller import JWT_SECRET, TENANT_SECRET
from toolbridge_contract.mock.api import GoApi
from toolbridge_contract.mock.asgi import MockApp
from toolbridge_contract.mock.faults import Faults
from toolbridge_contract.mock.protocol import RawProtocol
from toolbridge_contract.mock.recording import Recorder
from toolbridge_contract.mock.server import bind


@contextlib.contextmanager
def threaded_mock(folder: Path | None = None) -> Iterator[str]:
    """Serve on loopback; with a folder by TLS, under an authority that is `folder`/ca.pem."""
    api = GoApi(tenant_secret=TENANT_SECRET, jwt_secret=JWT_SECRET)
    config = uvicorn.Config(
        MockApp(api, Recorder(), Faults()),
        http=RawProtocol,
        lifespan="off",
        date_header=False,
        server_header=False,
        log_level="error",
        ssl_certfile=_certificate(folder) if folder is not None else None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    bound = bind("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield f"{'http' if folder is None else 'https'}://localhost:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def _certificate(folder: Path) -> str:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    chain = authority.issue_cert("localhost").private_key_and_cert_chain_pem
    chain.write_to_path(str(folder / "server.pem"))
    return str(folder / "server.pem")
