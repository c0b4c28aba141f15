"""Tests of the site: through Flask's client on real SQLite, and in a real browser."""
