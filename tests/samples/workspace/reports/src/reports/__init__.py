"""Reports, which the service does not use."""
