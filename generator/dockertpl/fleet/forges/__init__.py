"""What a forge does for a fleet: finds repositories, and holds pull requests and issues."""
