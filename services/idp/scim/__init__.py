"""SCIM 2.0 (RFC 7643, RFC 7644): other services read people here, make new ones and change what is known of them.

Nobody is removed this way, only deactivated: in one organization, or as a whole. Each has one role in each of their
organizations.
"""
