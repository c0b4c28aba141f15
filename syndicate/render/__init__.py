"""Values in, bytes out: nothing here asks the time, opens a database or a connection."""
