"""Where the two sides meet: rows of data, no logic."""
