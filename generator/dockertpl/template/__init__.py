"""The template: its location, its questions, its answers, and its rendering."""
