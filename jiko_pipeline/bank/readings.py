"""Reading a listing until a further reading finds nothing that the ones before it missed.

Belongs here: when a listing of several pages is believed, which pages of its readings are given. Does not belong
here: how one page leads to the next (`cursors`, `listings`), what can be listed (`listing_routes`).

Rows may come, go and move while pages are read. Where rows move up, one of them slips from a page that is still to
be read to one that was read already, and no page shows it. One answer is of one moment: a listing of a single page
is believed at once. One of several pages is read again from its start, with one row less on each page, so that
whatever falls between two pages falls elsewhere; and so on until a reading has no row that those before it lacked.
Rows that came in meanwhile stand before or after all that are known; a listing that only grew so lost none.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from jiko_pipeline.bank.contract import Contract
from jiko_pipeline.bank.errors import ContractBrokenError, UnavailableError, ValidationRefusedError
from jiko_pipeline.bank.exchange import Answer
from jiko_pipeline.bank.listing_routes import Query


@dataclass(frozen=True, slots=True)
class PageRead:
    """One page: what was asked, what came, the key of each row, how many rows the bank states the listing has."""

    query: Query
    answer: Answer
    keys: Sequence[str]
    stated: int | None = None


Read = Callable[[int], Iterator[PageRead]]
"""The pages of one reading, from the first to the last, with so many rows on each."""


@dataclass(slots=True)
class _Reading:
    """What one reading showed: its keys in order, and which of them are new."""

    keys: list[str] = field(default_factory=list)
    is_new: list[bool] = field(default_factory=list)
    pages: int = 0
    stated: int | None = None

    def note(self, page: PageRead, known: set[str]) -> bool:
        """Takes a page in; True when it has a row that is not `known`. Those rows are, afterwards."""
        news = [key not in known for key in page.keys]
        known.update(page.keys)
        self.keys += page.keys
        self.is_new += news
        self.pages += 1
        self.stated = self.stated if page.stated is None else page.stated
        return any(news)

    @property
    def counts_as_stated(self) -> bool:
        return self.stated is None or self.stated == len(set(self.keys))

    @property
    def only_grew(self) -> bool:
        """True when no new row stands between two known ones."""
        known = [place for place, new in enumerate(self.is_new) if not new]
        return not known or known[-1] - known[0] + 1 == len(known)


def pages_until_settled(
    read: Read, contract: Contract, *, limit: int, where: str, same_pages: bool = False
) -> Iterator[tuple[PageRead, bool]]:
    """Each page of the first reading, and of further ones those with a row that was not seen before, as (page, is
    last).

    All pages count: a row on several of them is one row by its key, and the later copy stands. `same_pages` keeps
    `limit` in every reading. Raises UnavailableError when even the last of `contract.listing_rereads` further
    readings finds rows that the others missed, ContractBrokenError when it has another number of rows than the bank
    states, ValidationRefusedError when a first page is refused or tokens expire in every reading, and whatever
    `read` raises.
    """
    known: set[str] = set()
    held: PageRead | None = None
    whole_before = False
    reading = _Reading()
    for number in range(contract.listing_rereads + 1):
        reading = _Reading()
        try:
            for page in read(limit if same_pages else max(1, limit - number % 2)):
                if reading.note(page, known) or number == 0:
                    if held is not None:
                        yield held, False
                    held = page
        except ValidationRefusedError:
            # A token that is refused after a while has expired; the first page has none that could.
            if reading.pages == 0 or number == contract.listing_rereads:
                raise
            continue
        at_rest = reading.pages == 1 or (whole_before and reading.only_grew)
        if held is not None and at_rest and reading.counts_as_stated:
            yield held, True
            return
        whole_before = True
    if not reading.counts_as_stated:
        raise ContractBrokenError(f"{where} states {reading.stated} rows and gave {len(set(reading.keys))} of them.")
    raise UnavailableError(
        f"{where} showed other rows at each of {contract.listing_rereads + 1} readings: it moves too fast to be read"
        " whole."
    )
