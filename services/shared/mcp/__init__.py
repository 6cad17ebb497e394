"""What both MCP servers share: the two-phase app, authorization, how its parts are declared, errors, cursors.

The flow of a request: host and origin guard → bearer token verified → ``ScopeChallenge`` (403 before anything runs) →
FastMCP → ``ProtocolErrors`` → ``ProblemTool``, a resource or a prompt → perhaps the question to a person
(``confirmation``) → the function, which is handed its desk.
"""
