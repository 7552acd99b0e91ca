"""An OpenAPI 3.1 description of the Go API, generated from the entity table.

`openapi.json` beside this file is what `document()` returns; `python -m
toolbridge_contract.openapi` prints it anew.
"""

from toolbridge_contract.openapi.paths import document

__all__ = ["document"]
