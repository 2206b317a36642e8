"""A derivation as text, as LaTeX, and as HTML."""

from __future__ import annotations

from html import escape
from textwrap import wrap

from rnn_ref.inspection import formulas
from rnn_ref.inspection.derivation import Derivation, Term

WIDTH = 100
MULTIPLICATIONS = "of one sample at one time step, without those inside activations"


def text(derivation: Derivation) -> str:
    """The whole derivation, to be printed."""
    header, rows = _model_table(derivation) if derivation.parts else _term_table(derivation)
    lines = [_title(derivation), "", *_columns([header, *rows]), ""]
    lines += [f"parameters = {step}" for step in steps(derivation)[:1]]
    lines += [f"           = {step}" for step in steps(derivation)[1:]]
    lines += [*_costs(derivation)]
    if derivation.elsewhere:
        lines += ["", *_columns([("in", "biases of a gate", "parameters"), *_elsewhere_rows(derivation)])]
        for name, other in derivation.elsewhere.items():
            lines += wrap(f"{name}: {other.why}", WIDTH, subsequent_indent="  ")
    return "\n".join(lines)


def latex(derivation: Derivation) -> str:
    """An ``aligned`` environment: terms, formula, numbers, total."""
    if derivation.is_model:
        terms = [(_latex_number(part.total), part.name) for part in derivation.parts if part.total]
    else:
        terms = [(formulas.latex(term.formula), term.name) for term in derivation.terms]
    lines = [" + ".join(rf"\underbrace{{{what}}}_{{\text{{{_latex_words(name)}}}}}" for what, name in terms)]
    if derivation.formula.free_symbols and not derivation.is_model:
        lines += [formulas.latex(derivation.formula), formulas.latex(derivation.formula, derivation.values)]
    lines = [line for line in dict.fromkeys([*lines, _latex_number(derivation.total)]) if line]
    return "\\begin{aligned}\nN &= " + " \\\\\n&= ".join(lines) + "\n\\end{aligned}"


def html(derivation: Derivation) -> str:
    """Tables for a notebook."""
    header, rows = _model_table(derivation) if derivation.parts else _term_table(derivation)
    found = [f"<p><b>{escape(_title(derivation))}</b></p>", _html_table(header, rows)]
    found.append("<p>parameters = " + "<br>= ".join(escape(step) for step in steps(derivation)) + "</p>")
    costs = [line for line in _costs(derivation) if line]
    if costs:
        found.append("<p>" + "<br>".join(escape(line) for line in costs) + "</p>")
    if derivation.elsewhere:
        rows = [(*row, other.why) for row, other in zip(_elsewhere_rows(derivation), derivation.elsewhere.values())]
        found.append(_html_table(("in", "biases of a gate", "parameters", "why"), rows))
    return "<div>" + "\n".join(found) + "</div>"


def steps(derivation: Derivation) -> list[str]:
    """Formula, formula with numbers, total; for a model, its parts in order."""
    found = []
    if derivation.is_model:
        found.append(" + ".join(f"{part.total:,}" for part in derivation.parts if part.total) or "0")
    elif derivation.formula.free_symbols:
        found += [formulas.text(derivation.formula), formulas.text(derivation.formula, derivation.values)]
    return list(dict.fromkeys([*found, f"{derivation.total:,}"]))


def _title(derivation: Derivation) -> str:
    sizes = ", ".join(f"{size.symbol} = {size.value:,} {size.meaning}" for size in derivation.sizes)
    return f"{derivation.name} ({derivation.kind})" + (f": {sizes}" if sizes and not derivation.is_model else "")


def _term_table(derivation: Derivation):
    gated = any(term.gates for term in derivation.terms)
    header = ("weight", "shape of a gate", "numbers", "gates", "parameters") if gated else (
        "weight", "shape", "numbers", "parameters")  # fmt: skip
    rows = [_term_row(term, gated) for term in derivation.terms]
    rows.append(("total", *[""] * (len(header) - 2), f"{derivation.total:,}"))
    return header, rows


def _term_row(term: Term, gated: bool) -> tuple[str, ...]:
    shape = " × ".join(formulas.text(s) for s in term.shape) or "one number"
    numbers = " × ".join(f"{n:,}" for n in term.sizes) or "1"
    return (term.name, shape, numbers, *([f"× {term.blocks}"] if gated else []), f"{term.count:,}")


def _model_table(derivation: Derivation):
    header = ("layer", "formula", "numbers", "parameters", "multiplications", "state")
    rows = list(_model_rows(derivation, ""))
    state = f"{derivation.state_bytes:,} B" if derivation.state_bytes else ""
    multiplications = "" if derivation.multiplications is None else f"{derivation.multiplications:,}"
    rows.append(("total", "", "", f"{derivation.total:,}", multiplications, state))
    return header, rows


def _model_rows(derivation: Derivation, indent: str):
    for part in derivation.parts:
        alone = not part.parts and part.sizes and part.terms
        yield (
            f"{indent}{part.name} ({part.kind})",
            formulas.text(part.formula) if alone else "",
            formulas.text(part.formula, part.values) if alone else "",
            f"{part.total:,}",
            "" if part.multiplications is None else f"{part.multiplications:,}",
            f"{part.state_bytes:,} B" if part.state_bytes else "",
        )
        yield from _model_rows(part, indent + "  ")


def _costs(derivation: Derivation) -> list[str]:
    lines = []
    if derivation.gates and not derivation.parts:
        each = next(iter(derivation.gates.values()))
        lines.append(f"each gate ({', '.join(derivation.gates)}): {each:,}")
    formula = derivation.multiplication_formula
    if derivation.parts:
        lines.append(f"multiplications: {MULTIPLICATIONS}")
    elif formula is not None and formula != 0:
        known = "" if derivation.multiplications is None else f" = {derivation.multiplications:,}"
        lines.append(f"{formulas.text(formula)}{known} multiplications ({MULTIPLICATIONS})")
    if derivation.state_bytes:
        numbers = formulas.evaluate(derivation.state_formula, derivation.values)
        symbols = formulas.text(derivation.state_formula)
        symbols = "" if derivation.parts or symbols == str(numbers) else f"{symbols} = "
        lines.append(f"state of one sample: {symbols}{numbers:,} numbers = {derivation.state_bytes:,} bytes")
    return ["", *lines] if lines else []


def _elsewhere_rows(derivation: Derivation) -> list[tuple[str, ...]]:
    return [(name, str(other.biases), f"{other.total:,}") for name, other in derivation.elsewhere.items()]


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").removesuffix(" B").removeprefix("× ").isdigit()


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    """Lines of a table, with columns of numbers right-aligned."""
    lines = [""] * len(rows)
    for column in zip(*rows):
        width = max(map(len, column))
        right = all(_is_number(cell) or not cell for cell in column[1:]) and any(column[1:])
        for k, cell in enumerate(column):
            lines[k] += (cell.rjust(width) if right else cell.ljust(width)) + "  "
    return [line.rstrip() for line in lines]


def _html_table(header, rows) -> str:
    def row(cells, tag):
        return "<tr>" + "".join(
            f'<{tag} style="text-align:{"right" if _is_number(cell) else "left"}">{_html_cell(cell)}</{tag}>'
            for cell in cells
        ) + "</tr>"  # fmt: skip

    return "<table>" + "".join([row(header, "th"), *(row(cells, "td") for cells in rows)]) + "</table>"


def _html_cell(cell: str) -> str:
    inner = cell.lstrip(" ")
    return "&emsp;" * ((len(cell) - len(inner)) // 2) + escape(inner)


def _latex_number(number: int) -> str:
    return f"{number:,}".replace(",", "{,}")


def _latex_words(name: str) -> str:
    return name.replace("_", r"\_").replace("#", r"\#").replace("%", r"\%").replace("&", r"\&")
