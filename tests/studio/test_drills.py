"""The drills of benchmarks/, small: they run, and what they would report holds."""

from __future__ import annotations

import kill_studio
import pytest
import studio_load
import studio_pages
from running_studio import Caller, Studio, Tables, wait_over, wait_ready


@pytest.fixture
def token(inside: Tables) -> str:
    return inside.make_token()


def test_no_order_is_lost_or_drawn_twice_when_worker_and_server_are_killed(
    live: Studio, inside: Tables, token: str
) -> None:
    model = wait_ready(live, inside)
    loader = kill_studio.Loader(live.address, token, model, 2)
    loader.start()
    try:
        for server in (False, True):
            assert kill_studio.kill(live, inside, server=server, let_go=True) >= 0
    finally:
        loader.stop()
    assert loader.accepted
    with Caller(live.address, token) as caller:
        look(live, inside, caller, loader.accepted)


def look(live: Studio, inside: Tables, caller: Caller, accepted: list[str]) -> None:
    assert kill_studio.verdict(live, inside, caller, accepted) == dict.fromkeys(
        ("lost", "twice", "given up", "stray files"), 0
    )
    key = accepted[0]
    inside.ask("DELETE FROM studio_picture WHERE job_id = ? AND number = 0", key.replace("-", ""))
    found = kill_studio.verdict(live, inside, caller, [key, "00000000-0000-4000-8000-00000000dead"])
    assert (found["lost"], found["stray files"]) == (2, 0)


def test_many_clients_at_once_get_what_they_were_promised(live: Studio, inside: Tables, token: str) -> None:
    model = wait_ready(live, inside)
    offered = studio_load.offer(live.address, token, model, clients=8, rate=8, seconds=3)
    with Caller(live.address, token) as caller:
        told = wait_over(caller, offered.accepted)
    assert offered.accepted
    assert not offered.others
    assert len(offered.seconds) == len(offered.accepted)
    assert {(job["state"], len(job["pictures"])) for job in told.values()} == {("done", 1)}
    wrong = studio_load.offer(live.address, "bsp_wrong", model, clients=1, rate=50, seconds=0.2)
    assert wrong.others.keys() <= {"401"}
    assert not wrong.accepted


def test_the_studio_whose_pages_are_timed_is_a_whole_one(database: None) -> None:
    from bespoke.studio.audit.chain import verify

    studio_pages.fill(40, 60)
    found = verify()
    assert (found.holding, found.problem) == (60, "")
    assert {page for _role, page, _wall, _processor in studio_pages.measure(1)} >= {"/gallery", "/kpi", "/audit"}
