"""`dockertpl fleet …`: template updates over many repositories."""
