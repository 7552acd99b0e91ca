"""The wire contract of ToolBridge: tools, signing rules, and a mock Go API that keeps them."""
