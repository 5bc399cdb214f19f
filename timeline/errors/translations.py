"""Wordings that servers and the C library translate, and the English text each stands for.

PostgreSQL (`lc_messages`), glibc's strerror and Windows speak the language of their host, and
drivers quote them. A translated wording is replaced by its English text before the table is
searched, so class, outcome and phase are said once. Codes are in `codes`; they survive translation
by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from timeline.errors.libc_messages import CONNECTIONS, WINDOWS
from timeline.errors.postgresql_messages import DRIVERS, SERVER

TRANSLATIONS: dict[str, str] = {
    said: english
    for catalogue in (CONNECTIONS, WINDOWS, SERVER, DRIVERS)
    for english, translated in catalogue.items()
    for said in translated
}
"""Translated wording to English text, capitals as they are printed."""


def any_of(wordings: Iterable[str]) -> str:
    """A pattern that finds any of `wordings` as they stand."""
    return "|".join(re.escape(wording) for wording in wordings)


SURROUNDINGS: dict[str, str] = {
    "FEHLER:": "ERROR:",
    "ERREUR:": "ERROR:",
    "ERREUR :": "ERROR:",
    "ERRORE:": "ERROR:",
    "ПОМИЛКА:": "ERROR:",
    "FEL:": "ERROR:",
    "BŁĄD:": "ERROR:",
    "HATA:": "ERROR:",
    "エラー:": "ERROR:",
    "오류:": "ERROR:",
    "错误:": "ERROR:",
    "ERRO:": "ERROR:",
    "ОШИБКА:": "ERROR:",
    "ВАЖНО:": "FATAL:",
    "Verbindung zum Server auf »": 'connection to server at "',
    "la connexion au serveur sur « ": 'connection to server at "',
    "la connexion au serveur sur «": 'connection to server at "',
    "la conexión al servidor en «": 'connection to server at "',
    'conexão ao servidor em "': 'connection to server at "',
    "«": '"',
    " »": '"',
    "»": '"',
    ", Port ": ", port ",
    ", puerto ": ", port ",
    ", porta ": ", port ",
    "\u00a0": "",
}
"""What stands around such wordings and names severity, phase and peer."""
