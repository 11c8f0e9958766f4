"""One answers file from one version of its template to another: answers, trees, and what becomes of each path."""
