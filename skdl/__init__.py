"""skdl."""
