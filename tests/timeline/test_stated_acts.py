"""What somebody says they did, told from what they ask, plan, deny or merely saw."""

from __future__ import annotations

import pytest

from timeline.facts.stated_acts import stated_act

DONE = [
    "restarted web",
    "rolled back to 1.4",
    "scaled workers to 20",
    "flushed the cache",
    "I restarted web on both hosts",
    "we've just rolled web back",
    "@ann restarted web-1",
    "ann restarted web-1 and web-2",
    "restarted web, didn't help",
    "restarted web but it is still slow",
    "should we restart web? restarted web.",
    "web was restarted",
    "mailers are paused",
    "ok, killed the stuck worker",
    "killed worker-3",
    "ran the backfill by hand",
    "Deployed checkout 412 to production",
    "deploy of web 412 is done",
    "v412 is live",
    "failed over to the standby",
    "paused mailers, checkout is slow",
    "restarted web after the deploy",
    "increased the pool to 50",
    "we disabled the flag new_cart for everybody",
    "Errors everywhere. Restarted web.",
    "on-call: restarted web",
    "set max_connections to 500",
    "purged queue mailers",
    "rollback to 1.4 complete",
    "Web wurde neu gestartet",
    "bob restarted it",
    "Web neu gestartet",
    "web redémarré",
    "reiniciamos web",
    "перезапустил web",
    "webを再起動しました",
    "已重启 web",
]
NOT_DONE = [
    "should we restart web?",
    "going to restart",
    "restart didn't help",
    "don't restart",
    "we didn't restart web",
    "web has not been restarted",
    "nobody restarted web",
    "who restarted web?",
    "has anyone rolled back",
    "restarted web?",
    "will be restarted at 03:00",
    "web needs to be restarted",
    "please restart web",
    "let's roll back",
    "I would have rolled back",
    "if restarted web comes up clean we are done",
    "web restarted by itself",
    "kubernetes restarted web",
    "k8s restarted web-1",
    "web-1 restarted at 02:11",
    "web crashed and restarted",
    "was restarted by the OOM killer",
    "last week we restarted web and it helped",
    "maybe somebody restarted web",
    "every night web is restarted",
    "errors started at 02:07",
    "throughput dropped to zero",
    "latency increased 3x",
    "the leak killed web-1",
    "updated the status page",
    "updated customers",
    "looks like a configuration problem",
    "schema of orders is odd",
    "the deployment pipeline is slow",
    "the console shows nothing",
    "redis failed at 02:07",
    "customers paused their subscriptions",
    "not sure whether bob restarted web",
    "tried restarting web",
    "we should have restarted web",
    "web scaled itself up to 20",
    "after restarting web errors stopped",
    "nothing was deployed",
    "set up a call",
    "Restart hat nicht geholfen",
    "Sollen wir web neu starten?",
    "web nicht neu gestartet",
    "il faut pas redémarré web",
    "не перезапустил web",
    "webを再起動しましたか",
    "重启了吗",
    "没有重启",
]


@pytest.mark.parametrize("text", DONE)
def test_an_act_that_was_done_is_stated(text: str) -> None:
    assert stated_act(text)


@pytest.mark.parametrize("text", NOT_DONE)
def test_a_question_a_plan_a_denial_and_what_systems_do_are_not(text: str) -> None:
    assert not stated_act(text)


def test_the_sentence_that_states_it_stands_alone() -> None:
    told = stated_act("Config of the cache is odd. Should we roll back? Restarted web.")
    assert told == "Restarted web."


def test_a_long_text_ends_in_time() -> None:
    assert stated_act("we " * 100_000 + "restarted web") == ""
    assert stated_act("restarted web " * 50_000)
