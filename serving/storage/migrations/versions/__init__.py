"""The versions, oldest first; a version that has been released is never edited."""
