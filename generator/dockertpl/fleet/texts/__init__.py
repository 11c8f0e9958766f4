"""The texts that a fleet writes on GitHub or GitLab: pull requests, commits, and issues."""
