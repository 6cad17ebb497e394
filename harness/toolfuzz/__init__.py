"""Fuzzing of MCP servers: every tool from its own schema, every resource, prompt and completion, fit and unfit."""
