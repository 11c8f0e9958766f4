"""What a fleet writes to people on a forge: pull requests, their commits, and issues for what it cannot decide."""
