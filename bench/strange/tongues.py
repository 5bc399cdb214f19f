"""Logs that are not English: every line holds characters beyond ASCII and ids of its own."""

from __future__ import annotations

from bench.strange.shape import Moment, Sample, Shape


def _japanese(at: Moment) -> str:
    level = at.one_of("INFO", "INFO", "INFO", "WARN")
    told = at.one_of(
        f"注文{at.below(9_000_000)}の在庫を確認しました（{at.below(90)}件、{at.below(900)}ミリ秒）",
        f"会員{at.below(900_000)}がログインしました 端末={at.id(32)}",
        f"配送{at.below(9_000_000)}を倉庫{at.below(40)}から出荷しました",
    )
    return f"{at.iso} {level} 受注 {told}"


def _german(at: Moment) -> str:
    stamp = f"{at.text('%Y-%m-%d %H:%M:%S')},{at.when.microsecond // 1000:03d}"
    level = at.one_of("INFO", "DEBUG", "WARN")
    told = at.one_of(
        f"Auftrag {at.below(9_000_000)} für Käufer {at.below(90_000)} geprüft",
        f"Übergabe an Lager {at.below(40)} läuft, Beleg {at.uuid()}",
        f"Prüfsumme {at.id(128)} stimmt, {at.below(9_000)} Sätze übernommen",
    )
    return f"{stamp} {level} [auftrag-{at.below(16)}] {told}"


SHAPES = (
    Shape("japanese", _japanese, Sample(frozenset([9, 13]))),
    Shape("german", _german, Sample(frozenset([9, 5, 13]))),
)
