"""Words of dates: month names of a dozen languages, zone abbreviations, how they are written.

A word that two languages or two countries use for different things keeps all its meanings.
Offsets of abbreviations are those of the IANA time zone database.
"""

from __future__ import annotations

from datetime import UTC, timedelta, timezone, tzinfo

_NAMES: tuple[str, ...] = (
    # English, German, French, Spanish, Italian, Portuguese, Dutch, Danish/Norwegian/Swedish,
    # Polish (nominative and genitive)
    "january jan januar jänner janvier janv enero ene gennaio gen janeiro januari stycznia styczeń",
    "february feb februar febr février fevrier févr fév febrero febbraio fevereiro fev februari "
    "lutego luty",
    "march mar märz maerz mrz mär mars marzo março marco mrt maart marts marca marzec",
    "april apr avril avr abril abr aprile kwietnia kwiecień",
    "may mai mayo maggio mag maio mei maj maja",
    "june jun juni juin junio giugno giu junho czerwca czerwiec",
    "july jul juli juillet juil julio luglio lug julho lipca",
    "august aug août aout agosto ago augustus augusti sierpnia sierpień",
    "september sep sept septembre septiembre settembre set setembro września wrzesień",
    "october oct oktober okt octobre octubre ottobre ott outubro out października październik",
    "november nov novembre noviembre novembro listopada listopad",
    "december dec dezember dez décembre decembre déc diciembre dic dicembre dezembro grudnia "
    "grudzień",
)
MONTHS: dict[str, tuple[int, ...]] = {
    word: (number,) for number, words in enumerate(_NAMES, 1) for word in words.split()
}
MONTHS["listopad"] = MONTHS["listopada"] = (10, 11)  # October in Croatian, November in Polish
MONTHS["lipnja"] = (6,)
MONTHS["srpnja"] = (7,)


def _offset(hours: float) -> tzinfo:
    return timezone(timedelta(hours=hours)) if hours else UTC


ABBREVIATIONS: dict[str, tuple[tzinfo, ...]] = {
    name: tuple(_offset(hours) for hours in offsets)
    for name, offsets in {
        "Z": (0,),
        "UTC": (0,),
        "GMT": (0,),
        "WET": (0,),
        "WEST": (1,),
        "CET": (1,),
        "CEST": (2,),
        "MEZ": (1,),
        "MESZ": (2,),
        "EET": (2,),
        "EEST": (3,),
        "MSK": (3,),
        "BST": (1, 6),
        "IST": (5.5, 2, 1),
        "JST": (9,),
        "KST": (9,),
        "SGT": (8,),
        "HKT": (8,),
        "SAST": (2,),
        "EST": (-5, 10),
        "EDT": (-4, 11),
        "CST": (-6, 8),
        "CDT": (-5, -4),
        "MST": (-7, 8),
        "MDT": (-6,),
        "PST": (-8, 8),
        "PDT": (-7,),
        "AEST": (10,),
        "AEDT": (11,),
        "NZST": (12,),
        "NZDT": (13,),
        "BRT": (-3,),
    }.items()
}
"""Hours east of UTC. CST is Chicago, and Shanghai; IST Kolkata, Jerusalem, and Dublin."""
