"""SCIM 2.0 (RFC 7643, RFC 7644): other services read people here and change what is known of them.

People are neither made nor removed this way: they come from the registry. Each has exactly one role.
"""
