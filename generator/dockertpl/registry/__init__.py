"""Ask image registries for the current digest of a tag, with the OCI distribution API."""
