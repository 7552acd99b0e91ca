"""ToolBridge's verification suite: checks, runner, reports and command line."""
