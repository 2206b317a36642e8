"""Formulas in symbols, and the same formulas with numbers, by SymPy's printers.

Printing numbers for symbols is not substitution: ``F + H`` with ``F = H = 64`` reads ``64 + 64``, not ``128``.
"""

from __future__ import annotations

from sympy import Expr, Integer, Symbol, factor, sympify
from sympy.core.mul import prod
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

Values = dict[Symbol, int]


def size(name: str) -> Symbol:
    """A symbol for a size."""
    return Symbol(name, integer=True, positive=True)


def as_expression(value) -> Expr:
    """An int as SymPy's Integer."""
    return sympify(value)


def product(factors) -> Expr:
    return prod(factors, Integer(1))


def evaluate(formula: Expr, values: Values) -> int | None:
    """The value of a formula; None if a size in it is unknown."""
    number = formula.subs(values)
    return int(number) if number.is_Integer else None


class _Text(StrPrinter):
    """``4*F*H + H**2`` as ``4·F·H + H²``; with values, ``4·5·64 + 64²``."""

    def __init__(self, values: Values | None = None):
        super().__init__()
        self.values = values or {}

    def _print_Symbol(self, symbol):
        return f"{self.values[symbol]}" if symbol in self.values else symbol.name

    def _print_Pow(self, power, rational=False):
        if power.exp == 2 and power.base.is_Symbol:
            return f"{self._print(power.base)}²"
        return super()._print_Pow(power, rational)

    def _print_Mul(self, product):
        return super()._print_Mul(product).replace("*", "·")


class _Latex(LatexPrinter):
    """LaTeX; with values, numbers in place of symbols."""

    def __init__(self, values: Values | None = None):
        super().__init__({"mul_symbol": "dot" if values else None})
        self.values = values or {}

    def _print_Symbol(self, symbol, style="plain"):
        return f"{self.values[symbol]}" if symbol in self.values else super()._print_Symbol(symbol, style)


def text(formula: Expr, values: Values | None = None) -> str:
    """
    >>> F, H = size("F"), size("H")
    >>> text(factored(4 * F * H + 4 * H**2)), text(4 * F * H + H**2, {F: 5, H: 64})
    ('4·H·(F + H)', '4·5·64 + 64²')
    """
    return _Text(values).doprint(formula)


def latex(formula: Expr, values: Values | None = None) -> str:
    r"""
    >>> F, H = size("F"), size("H")
    >>> print(latex(F * H), latex(F * H, {F: 64, H: 64}))
    F H 64 \cdot 64
    """
    return _Latex(values).doprint(formula)


def factored(formula: Expr) -> Expr:
    return factor(formula)
