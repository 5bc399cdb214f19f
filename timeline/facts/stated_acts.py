"""Whether a sentence of a person says that something was changed: an act, done, in the past.

"restarted web" states one; "should we restart web?", "going to restart", "don't restart", "restart
didn't help", "web restarted by itself" and "last week we restarted web" do not. It reads words and
no meaning: what it takes for a statement is a person's word and no record.
"""

from __future__ import annotations

import re

from timeline.clean import LINE_BREAK

LONGEST = 2_000
"""Characters of a note that are read; who writes more tells a story."""

_SENTENCES = re.compile(
    rf"(?<=[.!?;…])(?<!\b[vV]\.)\s+|(?<=[。！？])|[\n{LINE_BREAK}]|\s+(?:but|aber|mais|pero|но)\s+"
)
_QUESTION = re.compile(r"[?？¿]|(?:吗|か|呢)[。.!！]?\s*$|\b(?:ли|n'est-ce pas)\b")

_DEEDS = (
    r"(?:re-?)?deployed|redeployed|reverted|shipped|restarted|rebooted|bounced|(?:un-?)?paused"
    r"|resumed|(?:re-?|auto)?scaled|drained|(?:un)?cordoned|flushed|purged|truncated|migrated"
    r"|(?:re-?)?enabled|(?:re-?)?disabled|toggled|rotated|renewed|upgraded|downgraded|patched"
    r"|hotfixed|released|rolled|promoted|edited|inserted|requeued|replayed|quieted|turned"
)
"""What hardly anybody but a person or a pipeline does to an object."""
_SHARED = (
    r"killed|dropped|removed|deleted|updated|increased|decreased|reduced|raised|lowered|doubled"
    r"|changed|stopped|started|cleared|emptied|blocked|unblocked|switched|fixed|applied|ran|re-?ran"
    r"|failed|set|merged|bumped|reset|pushed|added|installed"
)
"""What systems, errors and figures do as well: counted only where a person says it of themselves.
Without them a leak that `killed web-1` would be an operator's act."""
_VERB = re.compile(rf"(?i)\b(?:(?P<deed>{_DEEDS})|(?P<shared>{_SHARED}))\b")

_PERSON = re.compile(
    r"(?i)^(?:[^\w@]|\b(?:i|we|i've|we've|ive|have|has|had to|just|now|already|also|and|then|so|ok"
    r"|okay|done|fyi|update|manually|finally|quickly|meanwhile|on-?call|ops|sre|team|the|both"
    r"|successfully|again)\b|@[\w.-]+|[’'`]ve\b)*$"
)
"""What may stand before the verb of somebody who tells what they did."""
_PASSIVE = re.compile(r"(?i)\b(?:was|were|been|got)(?: (?:just|now|manually|already|then))?\s*$")
_STATE = re.compile(r"(?i)\b(?:is|are)(?: (?:now|already))?\s*$")
_LASTING = re.compile(
    r"(?i)(?:un-?)?paused|(?:re-?)?enabled|(?:re-?)?disabled|(?:re)?deployed|reverted|rolled|scaled"
    r"|drained|cordoned|released"
)
"""What stays so once it was done: `mailers are paused` tells of an act, `web is restarted` of a
habit."""
_DOUBT = re.compile(
    r"(?i)\b(?:not|no|never|nobody|none|nothing|neither|nor|without|cannot|should|shall|could|would"
    r"|will|can|may|might|must|maybe|perhaps|probably|if|when|whenever|once|until|before|unless"
    r"|whether|going to|about to|supposed|tr(?:y|ied|ying|ies)|plan\w*|want\w*|need\w*|let'?s|lets"
    r"|hop\w+|almost|nearly|yet|wait\w*|ready|to be|being|be|who|whoever|anyone|anybody|someone"
    r"|somebody|think\w*|thought|believe\w*|guess\w*|seems?|looks?|sounds?|suggest\w*|ask\w*"
    r"|propos\w*|recommend\w*|consider\w*|instead of|please|pls|yesterday|last (?:week|month|time"
    r"|night|year|quarter)|usually|always|every|each time|often|normally|remember\w*|heard|says?"
    r"|said|claims?|unsure|wish)\b|n['’]t\b|\b(?:dont|didnt|havent|hasnt|wasnt|cant|wont)\b"
)
"""Before the verb these make it a question, a plan, a wish, hearsay, another day, or undone."""
_BY_ITSELF = re.compile(
    r"(?i)\b(?:itself|themselves|on (?:its|their) own|automatically"
    r"|by (?:kubernetes|k8s|systemd|(?:the )?(?:kubelet|oom\w*|watchdog|autoscaler|supervisor"
    r"|scheduler|health ?checks?|liveness)))\b"
)
_SYSTEM = re.compile(
    r"(?i)^\W*(?:the )?(?:kubernetes|k8s|systemd|kubelet|supervisor\w*|watchdog|autoscaler|hpa"
    r"|oom(?:[- ]?killer)?|cron\w*|customers?|users?|clients?|it|they|which|that)\b"
)
_NO_OBJECT = re.compile(
    r"(?i)^\W*(?:$|(?:at|on|in|by|after|because|due|while|as|and|or|with|from|since|again|twice"
    r"|once|every|fine|ok|okay|ago|during|for|nothing|none|no|yet|\w+ing|seeing|up|down"
    r"|successfully|to)\b)"
)
_BACK = re.compile(r"(?i)^\s*(?:\S+ ){0,3}?(?:back|out|forward|over|off|on|up|down|to \d)")
"""`rolled back`, `rolled web back`, `failed over`, `scaled up`: whole without an object."""
_TALK = re.compile(
    r"(?i)^\s*(?:\w+ )?(?:status ?page|customers?|tickets?|docs?|runbooks?|channel|incident|topic"
    r"|post-?mortem|everyone|stakeholders|dashboards?|timeline|notes?|people|support|severity|me"
    r"|my|a (?:call|bridge|thread|meeting)|up a|page|alerts?|alarms?|looking)\b"
)
"""What is told to people changes no system."""
_DONE = re.compile(
    r"(?i)\b(?:re-?)?(?:deploy(?:ment|s)?|release|roll-?(?:out|back)|migration|restart|fail-?over"
    r"|config(?:uration)? change)\b(?: (?:of|to|for) [\w.:/-]+| [\w.:/-]*\d[\w.:/-]*){0,2},?:? "
    r"(?:(?:is|are|has|was|went|just) )*(?:done|finished|completed?|live|out|through|succeeded"
    r"|success\w*|applied)\b"
    r"|\b(?:v|version )?\d[\w.-]* is (?:now )?(?:live|out|in production)\b"
)
"""A deed told by its noun: `deploy of web 412 is done`."""

_ELSEWHERE = re.compile(
    r"(?i)\b(?:neu ?gestartet|zurückgerollt|zurückgesetzt|ausgerollt|(?:hoch|herunter)?skaliert"
    r"|geleert|pausiert|angehalten|gestoppt|(?:de)?aktiviert|redémarr[ée]e?s?|relanc[ée]e?s?"
    r"|déploy[ée]e?s?|mis(?:e|es)? en pause|désactiv[ée]e?s?|vid[ée]e?s?|reiniciad[oa]s?"
    r"|reinici[éó]|reiniciamos|desplegad[oa]s?|revertid[oa]s?|pausad[oa]s?|desactivad[oa]s?"
    r"|riavviat[oiae]|herstart|teruggedraaid|zrestartowan\w+|zrestartowałe?[ma]?"
    r"|перезапустил[аи]?|откатил[аи]?|перезапущен\w*|выключил[аи]?|масштабировал[аи]?)(?!\w)"
    r"|(?:再起動|ロールバック|停止|デプロイ)(?:しました|した|済み)"
    r"|(?:已|刚)(?:经)?(?:重启|回滚|停止|扩容|部署|清空)|(?:重启|回滚|扩容|部署|清空)了"
)
_DOUBT_ELSEWHERE = re.compile(
    r"(?i)\b(?:nicht|kein\w*|soll\w*|werden?|würde\w*|wollen|will|muss|müss\w*|könn\w*|bitte|falls"
    r"|wenn|bevor|pas|faut|devr\w+|doit|va|allons|si|avant|no|debe\w*|debería\w*|vamos a|hay que"
    r"|antes|non|dobbiamo|niet|moeten|zullen|nie|trzeba|не|нужно|надо|будем|давайте|если)(?!\w)"
    r"|ません|ない|ましょう|予定|没|不|要不要|准备|是否|应该"
)


def stated_act(body: str) -> str:
    """The first sentence of a note that says what somebody changed; "" when none does."""
    for sentence in _SENTENCES.split(body[:LONGEST]):
        if sentence and not _QUESTION.search(sentence) and _states(sentence):
            return sentence.strip()
    return ""


def _states(sentence: str) -> bool:
    done = _DONE.search(sentence)
    if done and not _DOUBT.search(sentence):
        return True
    if any(_is_act(sentence, verb) for verb in _VERB.finditer(sentence)):
        return True
    return bool(_ELSEWHERE.search(sentence)) and not _DOUBT_ELSEWHERE.search(sentence)


def _is_act(sentence: str, verb: re.Match[str]) -> bool:
    """Whether one verb of the sentence is an act that a person says was done."""
    before, after = sentence[: verb.start()], sentence[verb.end() :]
    if _DOUBT.search(before) or _SYSTEM.search(before) or _BY_ITSELF.search(after):
        return False
    told_of_oneself = _PERSON.match(before) is not None
    if _TALK.search(after) or (verb["shared"] and not told_of_oneself):
        return False
    if _PASSIVE.search(before):
        return True
    if _STATE.search(before):
        return _LASTING.fullmatch(verb.group()) is not None
    whole = verb.group().lower() in ("rolled", "failed", "scaled", "turned", "switched")
    if whole and _BACK.search(after):
        return True
    if verb.group().lower() == "failed":
        return False
    return _NO_OBJECT.search(after) is None or (not before.strip() and not after.strip(" .!"))
