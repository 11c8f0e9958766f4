"""The rendered workflow, read and run."""
