"""Every profile of the chaos switch: what is read is what the quiet bank says, and every fault ends in one way."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from jiko_pipeline.bank import listings
from jiko_pipeline.bank.listings import Listing
from jiko_pipeline.bank.orders import DeliveredReport
from jiko_pipeline.bank.request_log import Ending, LoggedRequest
from jiko_pipeline.errors import JikoPipelineError
from jiko_pipeline.formats.camt053.reader import read
from jiko_pipeline.formats.pages import items_of
from jiko_pipeline.formats.reading import RefusedDocumentError
from jiko_pipeline.simulator.chaos.profiles import PROFILES
from jiko_pipeline_tests.bank import chaos_rig
from jiko_pipeline_tests.bank.chaos_client import DisturbedBank
from jiko_pipeline_tests.bank.chaos_oracle import endings, unexplained
from jiko_pipeline_tests.bank.simulator_rig import ServedBank

READ: tuple[Listing, ...] = (
    listings.pockets(),
    listings.transactions(date(2024, 7, 9), date(2024, 7, 12)),
    listings.trades_v2(date(2024, 7, 1), date(2024, 7, 12)),
)


class Reader:
    """Reads listings and statements in a directory of its own until they have all come."""

    def __init__(self, bank: ServedBank, directory: Path, pockets: Sequence[str]) -> None:
        self.bank = DisturbedBank(bank, directory)
        # A slow bank is slow in real time: one of each is enough to see it.
        self._listings = READ[: len(pockets) + 1]
        self._pulls = self.bank.statements(*pockets)
        self.ids: dict[str, list[str]] = {}
        self.entries: dict[str | None, pl.DataFrame | None] = {}
        self.quarantined: set[str] = set()

    def run(self) -> None:
        """One run, as far as it comes."""
        try:
            with self.bank.connection(page_limit=4) as connected:
                for listing in self._listings:
                    rows = [str(row["id"]) for page in connected.pages(listing) for row in items_of(page.body)]
                    self.ids[listing.kind] = sorted(set(rows))
            self.bank.fetched(self._pulls, self._deliver)
        except JikoPipelineError:
            # What ended the run is in its log.
            return

    def _deliver(self, report: DeliveredReport) -> None:
        try:
            frame = read(report.path.read_bytes()).frames["statement_entry"]
        except RefusedDocumentError:
            self.quarantined.add(report.sha256)
            frame = None
        self.entries[report.pull.pocket_id] = frame

    @property
    def is_through(self) -> bool:
        """True when everything has come."""
        return len(self.ids) == len(self._listings) and len(self.entries) == len(self._pulls)

    def differences(self, quiet: "Reader") -> list[str]:
        """What came and is another than the quiet bank says; files that are kept out are none of them."""
        listed = [kind for kind, ids in self.ids.items() if ids != quiet.ids[kind]]
        stated = [
            f"statement of {pocket}"
            for pocket, frame in self.entries.items()
            if frame is not None and not frame.equals(quiet.entries[pocket])
        ]
        return listed + stated


@dataclass(frozen=True)
class Quiet:
    """What is read without chaos, and the pockets whose statements are."""

    reader: Reader
    pockets: tuple[str, ...]


@pytest.fixture(scope="module")
def quiet(fault_bank: ServedBank, tmp_path_factory: pytest.TempPathFactory) -> Quiet:
    chaos_rig.reset(fault_bank)
    opened = DisturbedBank(fault_bank, tmp_path_factory.mktemp("quiet"))
    pockets = [str(row["id"]) for row in opened.rows(listings.pockets()) if row["status"] == "OPEN"][:2]
    reader = Reader(fault_bank, tmp_path_factory.mktemp("quiet"), pockets)
    reader.run()
    assert reader.is_through
    assert {request.ending for request in reader.bank.requests().values()} == {Ending.ANSWERED}
    return Quiet(reader, tuple(pockets))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("seeds", [2, pytest.param(1_000, marks=pytest.mark.soak)])
def test_under_every_profile_each_fault_ends_in_one_way_and_the_rows_are_those_of_the_quiet_bank(
    disturbed: DisturbedBank, quiet: Quiet, tmp_path: Path, profile: str, seeds: int
) -> None:
    pockets = quiet.pockets[:1] if profile == "slow" else quiet.pockets
    met: Counter[str] = Counter()
    for seed in range(1 if profile == "slow" else seeds):
        reader = Reader(disturbed.bank, tmp_path / f"{seed}", pockets)
        chaos_rig.reset(disturbed.bank, profile=profile, seed=seed)
        reader.run()
        injected = chaos_rig.log(disturbed.bank)
        found = endings(injected, reader.bank.requests(), reader.quarantined)
        assert unexplained(injected, reader.bank.requests(), reader.quarantined) == [], seed
        assert len(found) == len(injected)
        met.update(found.values())
        assert chaos_rig.incidents(disturbed.bank) == {"storage": [], "evil": []}
        chaos_rig.reset(disturbed.bank)
        # A list of one page may have been read just before a row came in; the next run sees it.
        for run in range(3):
            if run == 0 or not reader.is_through:
                reader.run()
        assert reader.is_through, seed
        assert reader.differences(quiet.reader) == [], seed
    assert bool(met) == (profile != "none")


def test_a_fault_that_was_taken_for_a_good_answer_and_one_that_nobody_noted_are_told() -> None:
    entry = {"n": 1, "fault": "html", "route": "GET /", "request_id": "a"}
    (said,) = unexplained([entry], {})
    assert "nobody noted" in said
    request = LoggedRequest("a", "pockets.list", datetime(2024, 7, 18, tzinfo=UTC), Ending.ANSWERED, sha256="b")
    (said,) = unexplained([entry], {"a": request})
    assert "good answer" in said
    assert endings([entry], {"a": request}, {"b"}) == {1: "QUARANTINED"}
    assert endings([{**entry, "fault": "jitter"}], {"a": request}) == {1: "RECOVERED"}
