"""Changes of `new` to files that the repository already has. The user sees and confirms each of them."""
