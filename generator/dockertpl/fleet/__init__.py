"""Template updates over many repositories: found, told apart, planned, applied, and gone on with after a stop.

Data flows one way: where -> repositories -> rows (what each image's state is) -> plan -> apply -> journal -> report.
Nothing here writes into a work tree of a repository that was found; what is made is a commit on a branch of ours.
"""
