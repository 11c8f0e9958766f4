"""Detect facts about a repository with a Next.js application."""
