"""Text on colours can be read: its contrast is at least 4.5, as the Web Content Accessibility Guidelines ask (AA)."""

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from rnn_ref import page_parts
from rnn_ref.plotting.shared import COLOURS, GATE_COLOURS, SIGNED, UNIT_INTERVAL, as_ink, ink_on

LEAST = 4.5
SITE = Path(__file__).parents[2] / "notebooks" / "site"


def contrast(one, other):
    """Of two colours, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def test_contrast_is_that_of_the_guidelines():
    assert contrast("black", "white") == pytest.approx(21)
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", [UNIT_INTERVAL, SIGNED])
def test_letters_on_every_colour_of_the_maps(name):
    colours = colormaps[name](np.linspace(0, 1, 256))
    worst = min(contrast(ink_on(colour[:3]), colour[:3]) for colour in colours)
    assert worst >= LEAST


@pytest.mark.parametrize("colour", [*COLOURS, *GATE_COLOURS.values()])
def test_black_or_white_can_be_read_on_every_colour_of_the_palette(colour):
    assert contrast(ink_on(colour), colour) >= LEAST
    assert contrast(as_ink(colour), "white") >= LEAST


def test_pages_with_sliders():
    rules = re.findall(r"background: (#\w+)[^}]*?[^-]color: (#\w+)", page_parts.STYLE)
    assert len(rules) >= 2
    assert all(contrast(*rule) >= LEAST for rule in rules)


def test_the_picture_of_the_walk():
    svg = (SITE / "walk.svg").read_text(encoding="utf-8")
    inks = set(re.findall(r'<text[^>]*fill="(#\w+)"', svg))
    assert len(inks) >= 4
    assert all(contrast(ink, ground) >= LEAST for ink in inks for ground in ("#fff", "#f2f2f2"))
