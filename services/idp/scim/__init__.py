"""SCIM 2.0 (RFC 7643, RFC 7644): other services read people here, make new ones and change what is known of them.

Nobody is removed this way, only deactivated. Each has exactly one role, in one organization.
"""
