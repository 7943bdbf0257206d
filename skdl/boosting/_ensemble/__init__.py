"""The fitted sum of learners."""
