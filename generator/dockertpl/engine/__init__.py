"""Building and running images with a container engine."""
