"""Dates as people write them, in five languages and many formats, with the ISO form that each stands for."""

from datetime import date

from rnn_ref import checks, random
from rnn_ref.guard import guarded
from rnn_ref.random import Seed

FIRST, LAST = date(1950, 1, 1), date(2049, 12, 31)  # so that two digits of a year tell the century

# By language: months, days of the week from Monday on, and formats.
LANGUAGES = {
    "English": (
        "January February March April May June July August September October November December",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "{day} {month} {year}|{month} {day}, {year}|{weekday}, {month} {day}, {year}|the {ordinal} of {month} {year}|"
        "{weekday}, {day} {short} {year}|{short} {day}, '{yy}",
    ),
    "French": (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "{premier} {month} {year}|le {premier} {month} {year}|{weekday} {premier} {month} {year}",
    ),
    "German": (
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
        "{day}. {month} {year}|{weekday}, {day}. {month} {year}|{weekday}, den {day}. {month} {year}",
    ),
    "Spanish": (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "lunes martes miércoles jueves viernes sábado domingo",
        "{day} de {month} de {year}|{weekday}, {day} de {month} de {year}|el {day} de {month} de {year}",
    ),
    "Italian": (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "{day} {month} {year}|{weekday} {day} {month} {year}",
    ),
}
NUMBERS = "{day}.{number}.{year}|{dd}.{mm}.{yy}|{dd}/{mm}/{year}|{dd}-{mm}-{year}|{year}/{mm}/{dd}|{year}{mm}{dd}"


@guarded
def written_dates(samples: int, seed: Seed = None) -> tuple[list[str], list[str]]:
    """Draw dates, each once, in one of many ways to write it: with words in five languages, or in numbers.

    English, French, German, Spanish and Italian, with and without the day of the week; in numbers the day comes before
    the month, unless the year comes first. Dates lie between 1950 and 2049, so that *'49* is 2049 and *'50* is 1950.

    Parameters
    ----------
    samples : int
        At most 36,525, the number of dates.
    seed : int, numpy.random.Generator or None
        `None` draws from the package-wide generator.

    Returns
    -------
    texts : list of str
    iso : list of str
        The dates in the form of ISO 8601, ``"2014-06-03"``. No date is there twice, so that those kept for testing are
        not seen in training.

    Raises
    ------
    ValueError
        If `samples` is not in this range.

    Examples
    --------
    >>> texts, iso = written_dates(3, seed=3)
    >>> texts
    ['Montag, den 31. März 1952', 'Mittwoch, den 22. August 2029', '5 dicembre 2045']
    >>> iso
    ['1952-03-31', '2029-08-22', '2045-12-05']
    """
    checks.integer(samples, "samples", "written_dates", least=1)
    days = LAST.toordinal() - FIRST.toordinal() + 1
    if samples > days:
        raise ValueError(f"written_dates: samples must be at most {days:,}, got {samples}.")
    rng = random.make(seed)
    dates = [date.fromordinal(FIRST.toordinal() + int(k)) for k in rng.permutation(days)[:samples]]
    return [_written(day, rng) for day in dates], [day.isoformat() for day in dates]


def _written(day: date, rng) -> str:
    """A third in numbers, the rest in any of the languages."""
    months, weekdays, formats = list(LANGUAGES.values())[int(rng.integers(len(LANGUAGES)))]
    if rng.random() < 1 / 3:
        formats = NUMBERS
    ways = formats.split("|")
    month = months.split()[day.month - 1]
    ending = "th" if day.day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return ways[int(rng.integers(len(ways)))].format(
        day=day.day,
        dd=f"{day.day:02}",
        ordinal=f"{day.day}{ending}",
        premier="1er" if day.day == 1 else day.day,
        month=month,
        short=month[:3],
        number=day.month,
        mm=f"{day.month:02}",
        weekday=weekdays.split()[day.weekday()],
        year=day.year,
        yy=f"{day.year % 100:02}",
    )
