"""Where issues come from: a watched inbox, and where their files go afterwards."""
