"""The person at the keyboard: what is shown, what is asked, and in which order."""
