"""Learners on rows weighted by how wrong the sum so far is about them."""
