"""A WeChat on this machine, and the bots that people write."""
