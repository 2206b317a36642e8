import re
import sys
from datetime import date

import pytest

from rnn_ref import random
from rnn_ref.datasets import written_dates

WRITTEN = sys.modules[written_dates.__module__]._written

TEXTS, ISO = written_dates(36_525, seed=0)


def test_every_date_is_drawn_once():
    days = [date.fromisoformat(day) for day in ISO]
    assert len(set(days)) == 36_525
    assert (min(days), max(days)) == (date(1950, 1, 1), date(2049, 12, 31))
    assert days != sorted(days)


def test_what_is_written_means_one_date():
    meant = dict(zip(TEXTS, ISO))
    assert all(meant[text] == day for text, day in zip(TEXTS, ISO))


def test_another_reader_understands_them():
    """dateutil's, which knows English and numbers; the pivot of two digits is its own, so years of four only."""
    parser = pytest.importorskip("dateutil.parser", reason="python-dateutil is not installed")
    english = re.compile(r"January|February|March|April|May|June|July|August|September|October|November|December")
    plain = re.compile(r"\d+[./-]\d+[./-]\d{4}|\d{4}/\d\d/\d\d|\d{8}")
    read = [
        (text, day)
        for text, day in zip(TEXTS, ISO)
        if (english.search(text) and not re.search(r"\. |'", text)) or plain.fullmatch(text)
    ]
    assert len(read) > 10_000
    for text, day in read[::5]:
        text = text.removeprefix("the ").replace(" of ", " ")
        found = parser.parse(text, dayfirst=not re.match(r"\d{4}", text))
        assert found.date().isoformat() == day, text


@pytest.mark.parametrize(
    ("day", "ways"),
    [
        (
            "2014-06-03",
            "3 June 2014|June 3, 2014|Tuesday, June 3, 2014|the 3rd of June 2014|Tuesday, 3 Jun 2014|Jun 3, '14|"
            "3 juin 2014|le 3 juin 2014|mardi 3 juin 2014|3. Juni 2014|Dienstag, 3. Juni 2014|"
            "Dienstag, den 3. Juni 2014|"
            "3 de junio de 2014|martes, 3 de junio de 2014|el 3 de junio de 2014|3 giugno 2014|martedì 3 giugno 2014|"
            "3.6.2014|03.06.14|03/06/2014|03-06-2014|2014/06/03|20140603",
        ),
        ("1950-12-01", "1er décembre 1950|vendredi 1er décembre 1950|the 1st of December 1950|01.12.50|Dec 1, '50"),
    ],
)
def test_ways_to_write_a_date(day, ways):
    generator = random.make(0)
    seen = {WRITTEN(date.fromisoformat(day), generator) for _ in range(600)}
    assert set(ways.split("|")) <= seen
    if day.startswith("2014"):
        assert seen == set(ways.split("|"))


def test_a_seed_gives_the_same():
    assert written_dates(20, seed=3) == written_dates(20, seed=3) != written_dates(20, seed=4)


@pytest.mark.parametrize("samples", [0, 36_526, 1.5])
def test_how_many_there_are(samples):
    with pytest.raises(ValueError, match=r"written_dates: `?samples`? must be"):
        written_dates(samples)
