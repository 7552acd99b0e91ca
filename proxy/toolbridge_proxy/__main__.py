"""Run the proxy: `python -m toolbridge_proxy`, configured by TOOLBRIDGE_* variables."""

import sys
from types import FrameType

import uvicorn
from prometheus_client import start_http_server

from toolbridge_proxy import diagnose, logs, settings
from toolbridge_proxy.app import create_app
from toolbridge_proxy.edge import MAX_HEAD_BYTES
from toolbridge_proxy.metrics import Metrics

EXIT_CONFIGURATION = 4
EXIT_INTERRUPTED = 130
# Longer than the edge keeps idle connections (60 s), so that it never sends into a closing one.
KEEP_ALIVE_SECONDS = 75


def main() -> int:
    """Serve until a signal, or diagnose; returns the exit code."""
    try:
        if sys.argv[1:] == ["diagnose"]:
            return diagnose.main()
        if sys.argv[1:]:
            raise settings.SettingsError("takes no argument but diagnose: set TOOLBRIDGE_*")
        config = settings.load()
        logs.configure(config.log_level, config.log_format)
        return _serve(config)
    except settings.SettingsError as problem:
        print(f"toolbridge_proxy: {problem}", file=sys.stderr)  # noqa: T201
        return EXIT_CONFIGURATION
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


class Server(uvicorn.Server):
    """Says that it drains, and ends at once at the second signal of either kind."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take one signal."""
        self.force_exit = self.should_exit
        self.config.app.also[:] = [(b"connection", b"close")]  # type: ignore[union-attr]
        super().handle_exit(sig, frame)


def _serve(config: settings.Settings) -> int:
    metrics, name = Metrics(), "TOOLBRIDGE_METRICS_PORT"
    server = Server(
        uvicorn.Config(
            create_app(config, metrics),
            host=config.host,
            port=config.port,
            http="h11",  # httptools loses the body of a request that offers an upgrade
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            log_config=None,
            access_log=False,  # it prints query strings, and people put tokens there
            server_header=False,
            proxy_headers=False,  # nothing is built from the client's address or scheme
            ws="none",
            lifespan="on",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=int(config.upstream_timeout_seconds) + 1,
        )
    )
    try:
        if config.metrics_port is not None:
            shown, _ = start_http_server(config.metrics_port, config.host, metrics.registry)
            logs.log.info("metrics_listening", port=shown.server_port)
        name = "TOOLBRIDGE_HOST, TOOLBRIDGE_PORT"
        server.run()
    except (OSError, SystemExit) as problem:  # uvicorn logs its reason and exits
        reason = getattr(problem, "strerror", None) or "the log says why"
        raise settings.SettingsError(f"{name}: cannot listen there ({reason})") from None
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
