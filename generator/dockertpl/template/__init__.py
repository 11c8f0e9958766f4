"""The template: where it comes from, its questions, its answers, its rendering."""
