"""How strict an OAuth and OpenID Connect provider is, seen from outside: the same checks for any, by its issuer URL.

:mod:`~harness.strictness.checks` has the list. A check does what an attacker or a careless client does, and says
whether the provider put up with it.
"""
