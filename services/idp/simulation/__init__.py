"""What a test does to an identity provider and nobody else may: forged tokens, bent answers, chosen sign-ins, records.

It works from outside on the strict protocol, by data: nothing beyond this room knows of it. State here ends with the
process.
"""
