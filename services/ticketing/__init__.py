"""MCP server for tickets."""
