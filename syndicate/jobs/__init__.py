"""What the service does by itself: each module's run(services) is safe at any time, twice, or cut short."""
