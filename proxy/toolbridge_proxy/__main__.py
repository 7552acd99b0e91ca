"""Run the proxy: `python -m toolbridge_proxy`, configured by TOOLBRIDGE_* variables."""

import socket
import sys

import prometheus_client
import structlog
import uvicorn

from toolbridge_proxy import logs, settings
from toolbridge_proxy.app import create_app
from toolbridge_proxy.metrics import Metrics

log = structlog.get_logger()

EXIT_CONFIGURATION = 4
EXIT_INTERRUPTED = 130
# Longer than the edge keeps idle connections (60 s), so that it never sends into a closing one.
KEEP_ALIVE_SECONDS = 75


class Server(uvicorn.Server):
    """Says where it listens once it does; uvicorn is silent about sockets it is given."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then listen."""
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            log.info(f"Uvicorn running on http://{where} (Press CTRL+C to quit)")


def main() -> int:
    """Serve until a signal; returns the exit code."""
    try:
        if len(sys.argv) > 1:
            raise settings.SettingsError("takes no arguments, only TOOLBRIDGE_* variables")
        config = settings.load()
        logs.configure(config.log_level, config.log_format)
        listener = _bind(config.host, config.port)
        metrics = _serve_metrics(config)
    except settings.SettingsError as problem:
        print(f"toolbridge_proxy: {problem}", file=sys.stderr)  # noqa: T201
        return EXIT_CONFIGURATION
    server = Server(
        uvicorn.Config(
            create_app(config, metrics),
            host=config.host,
            port=listener.getsockname()[1],
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
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0 if server.started else 1


def _bind(host: str, port: int) -> socket.socket:
    """Bind without listening: nobody connects before the application is up."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because asyncio sets TCP_NODELAY only where the protocol is.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as problem:
        listener.close()
        raise settings.SettingsError(
            f"TOOLBRIDGE_HOST, TOOLBRIDGE_PORT: cannot listen there ({problem.strerror})"
        ) from None
    return listener


def _serve_metrics(config: settings.Settings) -> Metrics:
    metrics = Metrics()
    if config.metrics_port is not None:
        try:
            server, _ = prometheus_client.start_http_server(
                config.metrics_port, addr=config.host, registry=metrics.registry
            )
        except OSError as problem:
            raise settings.SettingsError(
                f"TOOLBRIDGE_METRICS_PORT: cannot listen there ({problem.strerror})"
            ) from None
        log.info("metrics_listening", port=server.server_port)
    return metrics


if __name__ == "__main__":
    sys.exit(main())
