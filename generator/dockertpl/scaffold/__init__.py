"""What `new` does before it asks, and between the last answer and the disk."""
