"""The reference MCP proxy: validates the caller's JWT, signs, and forwards to the Go API."""
