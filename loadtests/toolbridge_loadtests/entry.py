"""The locustfile inside the package: what `toolbridge load` hands to Locust."""

from toolbridge_loadtests import lifecycle
from toolbridge_loadtests.users import McpUser

__all__ = ["McpUser", "lifecycle"]
