"""Bytes in, documents out: one module per form an issue comes in."""
