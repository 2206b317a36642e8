"""Expressions such as ``"f * c_prev + i * g"`` as text and as LaTeX, with symbols or with numbers."""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

PRECEDENCE = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2}

GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "mu", "nu", "tau")


class Writer:
    """How symbols, numbers and functions are written.

    Parameters
    ----------
    latex : bool
    functions : dict of str to str
        Names of activations: ``{"activation": "tanh"}``.
    symbols : dict of str to tuple of str
        Text and LaTeX of symbols that do not follow the rule: ``{"x_W": ("x_t (d W)", ...)}``.
    digits : int or None
        Significant digits; None for as many as distinguish the number from its neighbours.
    """

    def __init__(self, *, latex: bool, functions: dict, symbols: dict, digits: int | None):
        self.latex, self.functions, self.symbols, self.digits = latex, functions, symbols, digits

    def symbolic(self, expression: str) -> str:
        return self._write(ast.parse(expression, mode="eval").body, lambda name: self.symbol(name))

    def numeric(self, expression: str, values: dict) -> str:
        """With the values of all names; negative numbers in brackets after an operator."""
        return self._write(ast.parse(expression, mode="eval").body, lambda name: self.number(values[name]))

    def _write(self, node, name: Callable[[str], str], *, first: bool = True, parent: int = 0) -> str:
        times = r" \cdot " if self.latex else " · "
        if isinstance(node, ast.Constant):
            return self.number(node.value) if isinstance(node.value, float) else str(node.value)
        if isinstance(node, ast.Name):
            written = name(node.id)
            return written if first or not written.startswith("-") else self._brackets(written)
        if isinstance(node, ast.Call):  # of a derivative's arguments (z, a), a follows from z
            return f"{self.function(node.func.id)}({self._write(node.args[0], name)})"
        if isinstance(node, ast.UnaryOp):  # a minus
            written = f"-{self._write(node.operand, name, first=False, parent=2)}"
            return written if first else self._brackets(written)
        if isinstance(node.op, ast.Pow):
            base = self._write(node.left, name, first=False, parent=3)
            base = base if isinstance(node.left, ast.Name) and "^" not in base else self._brackets(base)
            exponent = self._write(node.right, name)
            return f"{base}^{{{exponent}}}" if self.latex else f"{base}^{exponent}"
        own = PRECEDENCE[type(node.op)]
        brackets = own < parent
        left = self._write(node.left, name, first=first or brackets, parent=own)
        right = self._write(node.right, name, first=False, parent=own + isinstance(node.op, (ast.Sub, ast.Div)))
        sign = {ast.Add: " + ", ast.Sub: " - ", ast.Mult: times, ast.Div: " / "}[type(node.op)]
        written = left + sign + right
        return self._brackets(written) if brackets else written

    @staticmethod
    def _brackets(text: str) -> str:
        return f"({text})"

    def function(self, name: str) -> str:
        derivative = name.startswith("d_")
        shown = self.functions[name.removeprefix("d_")]
        if self.latex:
            shown = rf"\mathrm{{{shown}}}".replace("_", r"\_")
        return f"{shown}'" if derivative else shown

    def number(self, value) -> str:
        value = np.asarray(value)[()] + 0  # and no negative zero
        if self.digits is not None:
            text = f"{float(value):.{self.digits}g}"
        else:
            text = str(value)  # the shortest that reads back as the same number
            text = text.removesuffix(".0")
        if self.latex and "e" in text:
            mantissa, _, exponent = text.partition("e")
            text = rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
        return text

    def symbol(self, name: str) -> str:
        """``c_prev`` -> ``c_{t-1}``; ``d_z_f`` -> ``dL/dz_f`` or a fraction."""
        if name in self.symbols:
            return self.symbols[name][self.latex]
        if name.startswith("d_"):
            inside = self.symbol(name[2:])
            return rf"\frac{{\partial L}}{{\partial {inside}}}" if self.latex else f"dL/d{inside}"
        base, _, index = name.partition("_")
        if base in "hc" and index in ("", "prev"):
            return f"{base}_{{t-1}}" if index else f"{base}_t"
        if self.latex and base in GREEK:
            base = rf"\{base}"
        if not index:
            return base
        return f"{base}_{{{index}}}" if self.latex else f"{base}_{index}"
