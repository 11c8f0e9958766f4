"""Template updates for many repositories: discover, assess, plan, apply, and resume.

Data flows one way: places -> repositories -> rows (the state of each image) -> plan -> apply -> journal -> report.
No code here writes into the work tree of a repository. An update is a commit on a `dockertpl/` branch.
"""
