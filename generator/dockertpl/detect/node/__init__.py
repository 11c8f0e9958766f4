"""What a repository with a Next.js application is."""
