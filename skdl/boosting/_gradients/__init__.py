"""What a round needs of the loss, and what it makes of it."""
