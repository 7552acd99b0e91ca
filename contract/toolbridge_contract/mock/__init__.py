"""A mock of the Go API that answers as the real one was observed to answer.

`mock.api.GoApi` is pure and synchronous; `mock.asgi` serves it with a recorder and faults.

Not modelled: the lost updates of concurrent writes with one If-Match (here they are atomic).
"""
