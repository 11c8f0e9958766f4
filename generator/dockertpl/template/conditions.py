"""Read a condition of `copier.yml`, such as `kind == 'python-fastapi' and manager == 'pip'`, and put it into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import jinja2
from jinja2 import nodes

#: An expression, or whether it always holds.
Condition = nodes.Expr | bool


class UnreadableError(ValueError):
    """A condition has more in it than comparisons of answers."""


@cache
def _environment() -> jinja2.Environment:
    # It parses, and renders nothing.
    return jinja2.Environment(autoescape=False)  # noqa: S701


def read(text: str | bool) -> Condition:
    """Return the condition in a text such as `{{ kind == 'shared-base' }}`.

    Raises:
        UnreadableError: The text is not one expression.
    """
    if isinstance(text, bool):
        return text
    body = _environment().parse(text).body
    if len(body) == 1 and isinstance(body[0], nodes.Output) and len(body[0].nodes) == 1:
        expression = body[0].nodes[0]
        if not isinstance(expression, nodes.TemplateData):
            return expression
    raise UnreadableError(text)


def simplified(
    condition: Condition, known: Mapping[str, Any], offered: Mapping[str, Sequence[Any]] | None = None
) -> Condition:
    """Return what is left of a condition when some answers are known.

    Args:
        known: Answers by name.
        offered: The choices of other answers. A comparison with no other value says nothing.
    """
    choices = offered or {}
    if isinstance(condition, nodes.And):
        return _both(condition, known, choices)
    if isinstance(condition, nodes.Or):
        left, right = (simplified(side, known, choices) for side in (condition.left, condition.right))
        if isinstance(left, bool):
            return left or right
        if isinstance(right, bool):
            return right or left
        return nodes.Or(left, right)
    if isinstance(condition, nodes.Not):
        inner = simplified(condition.node, known, choices)
        return not inner if isinstance(inner, bool) else nodes.Not(inner)
    if isinstance(condition, nodes.Name) and condition.name in known:
        return bool(known[condition.name])
    if isinstance(condition, nodes.Compare) and len(condition.ops) == 1:
        return _comparison(condition, known, choices)
    return condition


def _both(condition: nodes.And, known: Mapping[str, Any], offered: Mapping[str, Sequence[Any]]) -> Condition:
    left = simplified(condition.left, known, offered)
    if isinstance(left, nodes.Compare) and left.ops[0].op == "eq" and isinstance(left.expr, nodes.Name):
        # "a is 1 and (b or a is 1)" is "a is 1".
        with suppress(UnreadableError):
            known = {**known, left.expr.name: _value(left.ops[0].expr, {})}
    right = simplified(condition.right, known, offered)
    if isinstance(left, bool):
        return left and right
    if isinstance(right, bool):
        return right and left
    return nodes.And(left, right)


def _comparison(condition: nodes.Compare, known: Mapping[str, Any], offered: Mapping[str, Sequence[Any]]) -> Condition:
    left, operator = condition.expr, condition.ops[0].op
    try:
        right = _value(condition.ops[0].expr, known)
        if isinstance(left, nodes.Name) and left.name in offered and left.name not in known:
            return _among(left, operator, right, offered[left.name])
        value = _value(left, known)
    except UnreadableError:
        return condition
    match operator:
        case "eq":
            return bool(value == right)
        case "ne":
            return bool(value != right)
        case "in":
            return value in right
        case "notin":
            return value not in right
    return condition


def _among(name: nodes.Name, operator: str, right: Any, offered: Sequence[Any]) -> Condition:
    """Return a comparison of an answer that is one of some choices."""
    denied = operator in ("ne", "notin")
    compared = right if operator in ("in", "notin") else [right]
    possible = [value for value in offered if value in compared]
    if not possible or len(possible) == len(offered):
        return bool(possible) is not denied
    operand = nodes.Operand("notin" if denied else "in", nodes.List([nodes.Const(value) for value in possible]))
    if len(possible) == 1:
        operand = nodes.Operand("ne" if denied else "eq", nodes.Const(possible[0]))
    comparison = nodes.Compare(name, [operand])
    comparison.set_environment(_environment())
    return comparison


def _value(expression: nodes.Expr, known: Mapping[str, Any]) -> Any:
    if isinstance(expression, nodes.Name) and expression.name in known:
        return known[expression.name]
    try:
        return expression.as_const()
    except nodes.Impossible:
        raise UnreadableError from None


def words(condition: nodes.Expr) -> str:
    """Return a condition in words, such as "`manager` is `pip`".

    Raises:
        UnreadableError: It has more in it than comparisons of answers.
    """
    if isinstance(condition, nodes.And | nodes.Or):
        sides = [words(side) for side in (condition.left, condition.right)]
        if isinstance(condition, nodes.And) and any(
            isinstance(side, nodes.Or) for side in (condition.left, condition.right)
        ):
            # "a and b or c" would be read as "(a and b) or c".
            return f"{sides[0]}, and either {sides[1]}"
        return (" and " if isinstance(condition, nodes.And) else " or ").join(sides)
    if isinstance(condition, nodes.Name):
        return f"`{condition.name}` is `true`"
    if isinstance(condition, nodes.Not) and isinstance(condition.node, nodes.Name):
        return f"`{condition.node.name}` is `false`"
    if isinstance(condition, nodes.Compare) and len(condition.ops) == 1:
        return _compared(condition.expr, condition.ops[0].op, condition.ops[0].expr)
    raise UnreadableError


def _compared(left: nodes.Expr, operator: str, right: nodes.Expr) -> str:
    if isinstance(left, nodes.Const) and isinstance(right, nodes.Name) and operator in ("in", "notin"):
        return f"`{right.name}` {'has' if operator == 'in' else 'does not have'} `{left.value}`"
    if not isinstance(left, nodes.Name):
        raise UnreadableError
    if isinstance(right, nodes.Name) and operator in ("eq", "ne"):
        return f"`{left.name}` {'equals' if operator == 'eq' else 'differs from'} `{right.name}`"
    value = _value(right, {})
    if operator in ("in", "notin"):
        return f"`{left.name}` is {'not ' if operator == 'notin' else ''}{one_of(value)}"
    if value == "":
        return f"`{left.name}` is {'empty' if operator == 'eq' else 'set'}"
    if operator in ("eq", "ne"):
        shown = f"[{', '.join(value)}]" if isinstance(value, list) else value
        return f"`{left.name}` is {'not ' if operator == 'ne' else ''}`{shown}`"
    raise UnreadableError


def one_of(values: Sequence[object], last: str = "or") -> str:
    """Return values in words: "`a`, `b` or `c`"."""
    *first, end = [f"`{value}`" for value in values]
    return f"{', '.join(first)} {last} {end}" if first else end
