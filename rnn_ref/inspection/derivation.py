"""A parameter count as a derivation: named terms, a formula, and the formula with numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from rnn_ref.inspection import formulas
from rnn_ref.inspection.formulas import Expr, Integer, Symbol

ZERO = Integer(0)


@dataclass(frozen=True)
class Size:
    """A symbol, its meaning, and its value."""

    symbol: Symbol
    value: int
    meaning: str


@dataclass(frozen=True)
class Term:
    """One weight, or one row of it: an array of this shape for every gate.

    Attributes
    ----------
    name : str
        "kernel", "recurrent kernel", "bias", ...; in a model prefixed by the path, "encoder/kernel".
    shape : tuple of sympy expressions
        Of the part of one gate.
    sizes : tuple of int
        The same as numbers.
    gates : tuple of str
        Empty for a weight without gates.
    """

    name: str
    shape: tuple[Expr, ...]
    sizes: tuple[int, ...]
    gates: tuple[str, ...] = ()

    @property
    def blocks(self) -> int:
        return max(1, len(self.gates))

    @property
    def formula(self) -> Expr:
        return self.blocks * formulas.product(self.shape)

    @property
    def each(self) -> int:
        """Parameters of one gate."""
        return int(formulas.product(self.sizes))

    @property
    def count(self) -> int:
        return self.blocks * self.each


@dataclass(frozen=True)
class Elsewhere:
    """The count for a layer of the same sizes in another framework.

    Attributes
    ----------
    biases : int
        Bias vectors of every gate.
    formula : sympy expression
    total : int
    why : str
    """

    biases: int
    formula: Expr
    total: int
    why: str


@dataclass(frozen=True, repr=False)
class Derivation:
    """Where the parameters of a layer or a model come from.

    Attributes
    ----------
    name, kind : str
        Of the layer, and of its class.
    sizes : tuple of Size
        The symbols of the formula with their numbers.
    terms : tuple of Term
        They add up to the total.
    formula : sympy expression
        Number of parameters.
    total : int
        ``formula`` with numbers; what ``count_params`` counts.
    multiplication_formula : sympy expression or None
        Multiplications for one sample at one time step, in matrix products and between gates and states, without those
        inside activations, roots and quotients. None for a whole model, whose layers do not all run at every step, and
        for layers that are not recurrences or products.
    multiplications : int or None
        The same as a number; also None if it depends on an unknown size, such as the length of a sequence.
    state_formula : sympy expression
        Numbers that one sample carries from step to step.
    state_bytes : int
        Their size in memory, in the layer's precision.
    elsewhere : dict of str to Elsewhere
        Counts of Keras, PyTorch and cuDNN, and why they differ; empty if they agree.
    parts : tuple of Derivation
        Of the layers inside.
    text, latex : str
        The derivation as text, and for typesetting.
    """

    name: str
    kind: str
    sizes: tuple[Size, ...]
    terms: tuple[Term, ...]
    formula: Expr
    multiplication_formula: Expr | None = None
    state_formula: Expr = ZERO
    state_bytes: int = 0
    dtype: str = "float32"
    elsewhere: dict[str, Elsewhere] = field(default_factory=dict)
    parts: tuple[Derivation, ...] = ()
    is_model: bool = False

    @property
    def values(self) -> dict[Symbol, int]:
        """Numbers by symbol, for ``formula.subs``."""
        return {size.symbol: size.value for size in self.sizes}

    @cached_property
    def total(self) -> int:
        return formulas.evaluate(self.formula, self.values)

    @cached_property
    def multiplications(self) -> int | None:
        if self.multiplication_formula is None:
            return None
        return formulas.evaluate(self.multiplication_formula, self.values)

    @property
    def gates(self) -> dict[str, int]:
        """Parameters of every gate, by its name."""
        counts: dict[str, int] = {}
        for term in self.terms:
            for gate in term.gates:
                counts[gate] = counts.get(gate, 0) + term.each
        return counts

    def leaves(self) -> Iterable[Derivation]:
        """The innermost derivations, which have terms of their own."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()

    def __getitem__(self, name: str) -> Derivation:
        """The derivation of a layer inside, by name."""
        for part in self.parts:
            if part.name == name:
                return part
        names = ", ".join(part.name for part in self.parts) or "none"
        raise KeyError(f"{self.name}: no layer inside is named {name!r}; there are: {names}.")

    @property
    def text(self) -> str:
        from rnn_ref.inspection.derivation_views import text

        return text(self)

    @property
    def latex(self) -> str:
        from rnn_ref.inspection.derivation_views import latex

        return latex(self)

    def __repr__(self):
        return self.text

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"

    def _repr_html_(self) -> str:
        from rnn_ref.inspection.derivation_views import html

        return html(self)


def leaf(layer, kind: str, sizes: Iterable[Size], terms: Iterable[tuple], **other) -> Derivation:
    """A derivation from ``(name, shape in symbols[, gates])`` of every term."""
    sizes = tuple(sizes)
    values = {size.symbol: size.value for size in sizes}
    made = []
    for name, shape, *gates in terms:
        shape = tuple(formulas.as_expression(s) for s in shape)
        numbers = tuple(int(s.subs(values)) for s in shape)
        made.append(Term(name, shape, numbers, tuple(gates[0]) if gates else ()))
    formula = formulas.factored(sum((term.formula for term in made), ZERO))
    return Derivation(layer.name, kind, sizes, tuple(made), formula, dtype=layer.dtype, **other)


def combine(layer, kind: str, parts: Iterable[Derivation], *, is_model: bool = False) -> Derivation:
    """The sum of several derivations.

    A symbol with different values in different parts is numbered, ``H_1`` and ``H_2``; equal sizes share a symbol.
    """
    parts = tuple(parts)
    inner = [each for part in parts for each in part.leaves()]
    numbers: dict[Symbol, list[int]] = {}
    for part in inner:
        for size in part.sizes:
            seen = numbers.setdefault(size.symbol, [])
            if size.value not in seen:
                seen.append(size.value)

    def renamed(size: Size) -> Symbol:
        seen = numbers[size.symbol]
        return formulas.size(f"{size.symbol}_{seen.index(size.value) + 1}") if len(seen) > 1 else size.symbol

    new_names = {id(part): {size.symbol: renamed(size) for size in part.sizes} for part in inner}

    def total(attribute: str):
        found = [getattr(part, attribute) for part in inner]
        if any(formula is None for formula in found):
            return None
        return sum((f.xreplace(new_names[id(part)]) for f, part in zip(found, inner)), ZERO)

    sizes = {renamed(size): Size(renamed(size), size.value, size.meaning) for part in inner for size in part.sizes}
    terms = [
        replace(term, name=f"{path}/{term.name}", shape=tuple(s.xreplace(new_names[id(part)]) for s in term.shape))
        for path, part in _paths(parts)
        for term in part.terms
    ]
    elsewhere = {}
    for framework in dict.fromkeys(name for part in inner for name in part.elsewhere):
        found = [(part, part.elsewhere.get(framework)) for part in inner]
        elsewhere[framework] = Elsewhere(
            biases=max(other.biases for _, other in found if other),
            formula=sum(
                ((other.formula if other else part.formula).xreplace(new_names[id(part)]) for part, other in found),
                ZERO,
            ),
            total=sum(other.total if other else part.total for part, other in found),
            why=_reasons([(part, other.why) for part, other in found if other]),
        )
    return Derivation(
        layer.name,
        kind,
        tuple(sizes.values()),
        tuple(terms),
        total("formula"),
        multiplication_formula=None if is_model else total("multiplication_formula"),
        state_formula=total("state_formula"),
        state_bytes=sum(part.state_bytes for part in inner),
        dtype=layer.dtype,
        elsewhere=elsewhere,
        parts=parts,
        is_model=is_model,
    )


def _paths(parts: Iterable[Derivation], prefix: str = "") -> Iterable[tuple[str, Derivation]]:
    """The innermost derivations with the names that lead to them."""
    for part in parts:
        if part.parts:
            yield from _paths(part.parts, f"{prefix}{part.name}/")
        else:
            yield f"{prefix}{part.name}", part


def _reasons(found: list[tuple[Derivation, str]]) -> str:
    """Each reason once, with the kind of cell in front when there are several."""
    by_reason = {why: part.kind.split()[-1].removesuffix("Cell") for part, why in found}
    if len(by_reason) == 1:
        return found[0][1]
    return " ".join(f"{kind}: {why}" for why, kind in by_reason.items())
