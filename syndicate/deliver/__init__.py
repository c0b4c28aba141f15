"""Getting it to people, and what comes back: the public folder, mail, signed links."""
