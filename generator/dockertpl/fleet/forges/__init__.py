"""GitHub and GitLab: find repositories, and manage pull requests and issues."""
