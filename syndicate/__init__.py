"""Syndicate splits a printed newspaper's issues into articles and publishes them as feeds, pages and mail."""

__version__ = "0.1.0"
