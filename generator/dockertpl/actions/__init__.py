"""What `new` does and no template can: changes to files that are the repository's own, each previewed and agreed to."""
