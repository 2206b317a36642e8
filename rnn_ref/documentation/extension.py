"""What Sphinx does not do by itself: formulas without a script, equations in docstrings, public names.

Sphinx and docutils are imported where they are used: whoever only runs the tests need not have them.
"""

from __future__ import annotations

import inspect
import re

from rnn_ref.documentation import public

SIZES = re.compile(r"\\(?:[bB]igg?[lrm]?|displaystyle)(?![a-zA-Z])")
SECTION = re.compile(r"^(-{3,}|={3,})$")


def setup(app) -> dict:
    """Called by Sphinx."""
    app.add_html_math_renderer("rnn_ref", (visit_math, None), (visit_math_block, None))
    app.connect("autodoc-process-docstring", show_equations, priority=100)  # before napoleon, which has 500
    app.connect("autodoc-process-bases", public_bases)
    app.connect("autodoc-process-signature", constructor)
    app.connect("missing-reference", public_name)
    app.connect("html-page-context", no_tree_beside_sources, priority=100)  # before the theme's, which has 500
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def no_tree_beside_sources(app, page, template, context, doctree) -> None:
    """The tree of all pages takes most of a page's time; beside the sources, a page a module, there is none."""
    if page.startswith("_modules/"):
        context["toctree"] = lambda **options: ""


def mathml(latex: str, block: bool) -> str:
    """A formula as MathML, which browsers draw themselves."""
    from docutils.utils.math import MathError, latex2mathml
    from sphinx.util import logging

    latex = SIZES.sub("", latex.strip()).replace(r"\textbf", r"\text").replace(r"\dots", r"\ldots")
    outside = re.sub(r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", "", latex, flags=re.DOTALL)
    if block and (r"\\" in outside or "&" in outside):
        latex = rf"\begin{{aligned}}{latex}\end{{aligned}}"
    try:
        return latex2mathml.tex2mathml(latex, as_block=block)
    except MathError as error:
        logging.getLogger(__name__).warning("formula: %s in %s", error, latex)
        return latex


def visit_math(self, node) -> None:
    """A formula in a line."""
    from docutils import nodes

    self.body.append(f'<span class="math">{mathml(node.astext(), False)}</span>')
    raise nodes.SkipNode


def visit_math_block(self, node) -> None:
    """A formula by itself."""
    from docutils import nodes

    names = "".join(f' id="{name}"' for name in node["ids"][:1])
    self.body.append(f'<div class="math"{names}>{mathml(node.astext(), True)}</div>\n')
    raise nodes.SkipNode


def show_equations(app, what, name, value, options, lines: list[str]) -> None:
    """Indented lines between paragraphs, before the first section, are equations or code: they stay as they are."""
    shown, inside = [], False
    for k, line in enumerate(lines):
        if SECTION.match(line.strip()) or "".join(lines[k + 1 : k + 2]).startswith("---") or line.startswith(">>>"):
            shown += lines[k:]
            break
        indented = line.startswith("    ")
        before = shown[-1] if shown else ""
        if indented and not inside and not before.strip() and not _ends_literally(shown):
            shown += ["::", ""]
        if line.strip():
            inside = indented
        shown.append(line)
    lines[:] = shown


def _ends_literally(lines: list[str]) -> bool:
    said = [line for line in lines if line.strip()]
    return bool(said) and (said[-1].rstrip().endswith("::") or said[-1].startswith(".. "))


def public_bases(app, name, value, options, bases: list) -> None:
    """The nearest public class that this one inherits from; those between are inside."""
    homes = public.homes()
    known = [homes.get(f"{base.__module__}.{base.__qualname__}") for base in value.__mro__[1:]]
    bases[:] = [f":class:`{home}`" for home in known if home][:1] or [":class:`object`"]


def constructor(app, what, name, value, options, signature, returned):
    """The arguments of ``__init__``: ``__new__``, which autodoc would ask, takes what it is given."""
    if what != "class" or not inspect.isfunction(value.__init__):
        return None
    parameters = list(inspect.signature(value.__init__).parameters.values())[1:]
    shown = [parameter.replace(annotation=parameter.empty) for parameter in parameters]
    return str(inspect.Signature(shown)), None


def public_name(app, env, node, contnode):
    """A name by where it is defined means the public one; one from inside is shown without a link."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target:
        return None
    module, inside = node.get("py:module") or "", node.get("py:class") or ""
    homes = public.homes()
    for place in ("", module, f"{module}.{inside}", inside, "rnn_ref.inspection.tracing", "rnn_ref.layers"):
        value = public.imported(f"{place}.{target}".lstrip("."))
        home = homes.get(public.defined(value, "")) if value is not None else None
        if home and home != target:
            domain = env.domains["py"]
            return domain.resolve_xref(env, node["refdoc"], app.builder, node["reftype"], home, node, contnode)
        if value is not None:
            return contnode
    return None
