"""Locust users of ToolBridge MCP proxies, and the gate that judges p95 from raw samples."""
