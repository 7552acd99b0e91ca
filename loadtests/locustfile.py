"""Load test of a ToolBridge MCP proxy: `locust -f loadtests/locustfile.py -H https://…`.

See docs/load-testing.md.
"""

from toolbridge_loadtests import lifecycle
from toolbridge_loadtests.users import McpUser

__all__ = ["McpUser", "lifecycle"]
