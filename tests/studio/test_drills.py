"""The drills of benchmarks/, small: they run, and what they would report holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"


@pytest.fixture
def drill(live: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The drills, and the running studio with a token of its administrator."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import kill_studio
    import running_studio
    import studio_load

    tables = running_studio.Tables(live.home)
    token = tables.make_token()
    yield SimpleNamespace(kill=kill_studio, load=studio_load, run=running_studio, tables=tables, token=token)
    tables.close()


def test_no_order_is_lost_or_drawn_twice_when_worker_and_server_are_killed(live: Any, drill: Any) -> None:
    model = drill.run.wait_ready(live, drill.tables)
    loader = drill.kill.Loader(live.address, drill.token, model, 2)
    loader.start()
    try:
        for server in (False, True):
            assert drill.kill.kill(live, drill.tables, server=server, let_go=True) >= 0
    finally:
        loader.stop()
    assert loader.accepted
    with drill.run.Caller(live.address, drill.token) as caller:
        look(drill, live, caller, loader.accepted)


def look(drill: Any, live: Any, caller: Any, accepted: list[str]) -> None:
    assert drill.kill.verdict(live, drill.tables, caller, accepted) == dict.fromkeys(
        ("lost", "twice", "given up", "stray files"), 0
    )
    key = accepted[0]
    drill.tables.ask("DELETE FROM studio_picture WHERE job_id = ? AND number = 0", key.replace("-", ""))
    found = drill.kill.verdict(live, drill.tables, caller, [key, "00000000-0000-4000-8000-00000000dead"])
    assert (found["lost"], found["stray files"]) == (2, 0)


def test_many_clients_at_once_get_what_they_were_promised(live: Any, drill: Any) -> None:
    model = drill.run.wait_ready(live, drill.tables)
    offered = drill.load.offer(live.address, drill.token, model, clients=8, rate=8, seconds=3)
    with drill.run.Caller(live.address, drill.token) as caller:
        told = drill.run.wait_over(caller, offered.accepted)
    assert offered.accepted
    assert not offered.others
    assert len(offered.seconds) == len(offered.accepted)
    assert {(job["state"], len(job["pictures"])) for job in told.values()} == {("done", 1)}
    wrong = drill.load.offer(live.address, "bsp_wrong", model, clients=1, rate=50, seconds=0.2)
    assert wrong.others.keys() <= {"401"}
    assert not wrong.accepted
