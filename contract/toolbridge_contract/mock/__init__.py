"""A mock of the Go API that answers as the real one was observed to answer.

`mock.api.GoApi` is pure and synchronous; `mock.asgi` serves it with a recorder and faults.

Not modelled: delta sync (`/v1/sync/<entity>/push` and `pull` are 404); the lost updates of
concurrent writes with one If-Match (here they are atomic); a body that never ends (the real API
answers 400 after 15 s); methods that llhttp does not know (400 from the server, 405 from `GoApi`).
"""
