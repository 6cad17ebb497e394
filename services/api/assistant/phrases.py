"""Pieces of what people say, for the patterns of rules."""

from __future__ import annotations

POLITE = r"^\W*(?:(?:please|hi|hello|hey|can|could|would|will|you|i|want|to|like|need)\b\W*)*"
NOUNS = r"(?:me|us|about|the|my|our|is|with|ticket|issue|number)"
KEY = r"(?P<key>[a-z][a-z0-9]{1,9}-[1-9][0-9]{0,8})\b"
STATUS = r"(?:open|in[ _-]progress|pending|resolved|closed|cancell?ed)"
QUESTION = r"(?:show|get|give|see|view|display|which|what|are|is|there|do|does|we|have|me|us|all|my|our|the|any)"
FILLER = (
    r"(?:a|all|an|and|any|about|are|called|containing|for|from|i|in|is|like|matching|me|mention(?:ing|s)?|my|named"
    r"|of|on|our|please|regarding|some|that|the|tickets?|issues?|there|titled|us|we|which|with)"
)
ASKING = rf"(?:find|search|list|look\s+for|{QUESTION}|{STATUS}|unassigned|assigned|tickets?|issues?)\b"
"""How somebody begins who wants to see something, and nothing else."""
