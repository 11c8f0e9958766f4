"""`dockertpl fleet resume`: continue an apply that was stopped, paused or killed."""

from dockertpl.commands.fleet.apply import resume as run

__all__ = ["run"]
