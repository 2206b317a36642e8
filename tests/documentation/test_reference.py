"""Every public name is documented, and the reference has it."""

import inspect
import re

import pytest

import rnn_ref
from rnn_ref.documentation import public, reference

PAGES = reference.pages()
EVERY = [(path, name) for path in public.TITLES for name in public.names(path)]


def test_there_are_many():
    assert len(EVERY) > 450


@pytest.mark.parametrize("path", public.TITLES)
def test_module_is_documented(path):
    assert len(reference.summary(public.module(path))) > 20
    for name, value in public.values(path).items():
        if not callable(value):
            continue
        own = value.__dict__.get("__doc__") if isinstance(value, type) else inspect.getdoc(value)
        assert len(own or "") > 8, f"{public.full(path, name)} has no docstring of its own"


@pytest.mark.parametrize("path", public.TITLES)
def test_the_reference_has_every_name(path):
    page = PAGES[reference.page_of(path)]
    for name in public.names(path):
        place = re.escape(public.full(path, name))
        assert re.search(rf":: {place}\b|``{re.escape(name)}``", page), public.full(path, name)


def test_what_is_public_at_the_top_is_a_module_of_the_reference():
    modules = {name for name in rnn_ref.__all__ if inspect.ismodule(getattr(rnn_ref, name))}
    listed = {path.split(".")[0] for path in public.TITLES}
    assert modules - listed == {"keras", "random", "training"}  # this module again; seeds; where losses are defined


def test_public_methods_say_what_they_do():
    silent = {
        f"{public.full(path, name)}.{method}"
        for path, name in EVERY
        if isinstance(value := getattr(public.module(path), name), type)
        for method, function in vars(value).items()
        if inspect.isfunction(function) and not method.startswith("_") and not inspect.getdoc(getattr(value, method))
    }
    assert not silent
