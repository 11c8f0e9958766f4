"""A small service that takes orders from a menu."""
