"""From a tree of files in memory to the repository on disk: all of it or nothing."""
