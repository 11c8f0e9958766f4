"""Asking image registries what a tag is now, by the OCI distribution specification."""
