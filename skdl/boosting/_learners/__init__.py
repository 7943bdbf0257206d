"""What a round learns."""
