"""From files in memory to the repository on disk, all or nothing."""
