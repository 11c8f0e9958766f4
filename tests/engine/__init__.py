"""A container engine, a registry and base images for the tests that need them."""
