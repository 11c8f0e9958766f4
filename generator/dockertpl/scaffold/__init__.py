"""What `new` does before anybody is asked, and between the last answer and the disk."""
