"""Tests that read and run the rendered workflow."""
