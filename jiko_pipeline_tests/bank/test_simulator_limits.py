"""Rate limits of the simulated bank, on its own clock."""

from datetime import UTC, datetime
from pathlib import Path

from jiko_pipeline.simulator.serve import ServeOptions
from jiko_pipeline.simulator.server.limits import UNLIMITED, LimitProfile
from jiko_pipeline_tests.bank.simulator_rig import served

EARLY_IN_A_MINUTE = datetime(2024, 6, 12, 15, 0, 5, tzinfo=UTC)


def test_under_tight_limits_the_thirteenth_listing_of_a_minute_is_refused_until_the_next(
    tmp_path: Path,
) -> None:
    options = ServeOptions(tmp_path / "state", limits=LimitProfile.TIGHT, now=EARLY_IN_A_MINUTE)
    with served(options) as bank:
        path = "/api/v2/transactions/?limit=1"
        answers = [bank.http.get(path) for _ in range(13)]
        assert [answer.status_code for answer in answers] == [200] * 12 + [429]
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == [
            *(str(left) for left in range(11, -1, -1)),
            "0",
        ]
        refused = answers[-1]
        reset = int(refused.headers["X-RateLimit-Reset"])
        assert refused.headers["X-RateLimit-Limit"] == "12"
        assert reset == datetime(2024, 6, 12, 15, 1, tzinfo=UTC).timestamp()
        assert 1 <= int(refused.headers["Retry-After"]) <= 55
        assert refused.json() == {"detail": "Rate limit exceeded"}
        assert bank.http.get("/api/v2/pockets/?limit=1").status_code == 200, "another group has its own limit"
        bank.move_clock(seconds=int(refused.headers["Retry-After"]))
        assert bank.http.get(path).status_code == 200


def test_a_window_is_remembered_over_a_restart(tmp_path: Path) -> None:
    options = ServeOptions(tmp_path / "state", limits=LimitProfile.TIGHT, now=EARLY_IN_A_MINUTE)
    with served(options) as bank:
        for _ in range(12):
            assert bank.http.get("/api/v2/trades/?limit=1").status_code == 200
        authorization = bank.http.headers["Authorization"]
    with served(options, signed_in=False) as bank:
        headers = {"Authorization": authorization}
        assert bank.http.get("/api/v2/trades/?limit=1", headers=headers).status_code == 429


def test_documented_limits_are_120_and_300_a_minute(tmp_path: Path) -> None:
    options = ServeOptions(tmp_path / "state", limits=LimitProfile.DOCUMENTED, now=EARLY_IN_A_MINUTE)
    with served(options) as bank:
        for path, limit in (
            ("/api/v2/pockets/", 120),
            ("/api/v2/transactions/", 120),
            ("/api/v1/trades/", 120),
            ("/api/v1/report-requests/", 300),
            ("/api/v1/statements/", UNLIMITED),
        ):
            assert bank.http.get(path).headers["X-RateLimit-Limit"] == str(limit)
        assert bank.ask_token(bank.assertion()).headers["X-RateLimit-Limit"] == "300"


def test_without_limits_the_headers_never_count_down(tmp_path: Path) -> None:
    with served(ServeOptions(tmp_path / "state")) as bank:
        seen = {
            (answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"])
            for answer in [bank.http.get("/api/v1/report-requests/") for _ in range(400)]
        }
        assert seen == {(str(UNLIMITED), str(UNLIMITED))}


def test_every_refusal_carries_the_headers_too(tmp_path: Path) -> None:
    options = ServeOptions(tmp_path / "state", limits=LimitProfile.TIGHT)
    with served(options, signed_in=False) as bank:
        for _ in range(20):
            refused = bank.http.get("/api/v2/pockets/")
            assert refused.status_code == 401, "who is not signed in is not counted"
            assert refused.headers["X-RateLimit-Limit"] == "12"
