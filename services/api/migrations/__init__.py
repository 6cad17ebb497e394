"""The revisions of this service's tables, the oldest first. One that was released is never edited."""
