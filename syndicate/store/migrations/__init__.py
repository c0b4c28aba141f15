"""How the tables came about, step by step; run by store.migrate()."""
