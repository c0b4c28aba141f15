"""A month of a paper, and what readers make of it."""
