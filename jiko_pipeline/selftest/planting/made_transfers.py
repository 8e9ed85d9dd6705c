"""Faults of transfers between two pockets that are made for them.

Belongs here: legs of on-us transfers at the edges of what is allowed. Does not belong here: transfers that drawn worlds
have (`linked_movements`), transfers in kind (`in_kind`, `made_bills`).
"""

from datetime import date

from jiko_pipeline.selftest.planting.made_pockets import MadePocket, opened
from jiko_pipeline.selftest.planting.registry import Names, plants
from jiko_pipeline.selftest.site import NothingToHit, Site

_WITHIN = "INTERNAL_REALLOCATION"


class _Transfers:
    """Transfers between two pockets, and what they are told by."""

    def __init__(self, one: MadePocket, other: MadePocket) -> None:
        self.one, self.other = one, other
        self.payments: list[tuple[str, str, date]] = []
        self.names: dict[str, str] = {}

    def transfer(
        self, name: str, *legs: tuple[MadePocket, date, int], kind: str = _WITHIN, source: str = "", target: str = ""
    ) -> None:
        """Enters the legs (pocket, day, cents) of a transfer, known from now on by `name`."""
        self.names[name] = transfer = self.one.new_id()
        told = {"on_us_transfer_id": transfer, "on_us_transfer_type": kind}
        if source:
            told |= {"source": source, "target": target}
        for pocket, day, cents in legs:
            made = pocket.move(day, cents, "ON_US_IN" if cents >= 0 else "ON_US_OUT", "ON_US", details=told)
            if cents < 0:
                self.payments.append((made, pocket.pocket_id, day))

    def told(self) -> Names:
        """The names of transfers, and of the payments that nobody asked for."""
        return {
            **self.names,
            "payments": [made for made, _, _ in self.payments],
            "payers": [pocket for _, pocket, _ in self.payments],
            "days": [day.isoformat() for _, _, day in self.payments],
        }


def _two_pockets(site: Site, business_days: int) -> tuple[_Transfers, MadePocket, MadePocket]:
    one, other = opened(site, business_days), opened(site, business_days)
    return _Transfers(one, other), one, other


@plants("transfers-at-the-edges")
def _at_the_edges(site: Site) -> Names:
    made, one, other = _two_pockets(site, 6)
    day = [site.after(offset) for offset in range(7)]
    made.transfer("same_day", (one, day[1], -100_00), (other, day[1], 100_00))
    made.transfer("next_day", (one, day[1], -101_00), (other, day[2], 101_00))
    made.transfer("received_first", (other, day[1], 102_00), (one, day[2], -102_00))
    made.transfer("two_days", (one, day[1], -103_00), (other, day[3], 103_00))
    made.transfer("received_two_days_before", (other, day[1], 104_00), (one, day[3], -104_00))
    made.transfer("three_days", (one, day[1], -105_00), (other, day[4], 105_00))
    made.transfer("in_parts", (one, day[2], -110_00), (other, day[2], 60_00), (other, day[2], 50_00))
    made.transfer("sent_in_parts", (one, day[2], -70_00), (one, day[2], -50_00), (other, day[2], 120_00))
    made.transfer("part_lost", (one, day[2], -130_00), (other, day[2], 60_00), (other, day[2], 60_00))
    made.transfer("part_sent_twice", (one, day[2], -65_00), (one, day[2], -65_00), (other, day[2], 125_00))
    made.transfer("never_received", (one, day[3], -140_00))
    made.transfer("never_sent", (other, day[3], 141_00))
    made.transfer("received_nothing", (one, day[3], -142_00), (other, day[3], 0))
    made.transfer("sent_nothing", (other, day[3], 143_00), (one, day[3], 0))
    own = {"kind": "BANK_TRANSFER", "source": one.pocket_id, "target": other.pocket_id}
    made.transfer("between_own", (one, day[4], -150_00), **own)
    stranger = one.new_id()
    made.transfer("to_a_stranger", (one, day[4], -151_00), kind="BANK_TRANSFER", source=one.pocket_id, target=stranger)
    made.transfer(
        "from_a_stranger", (other, day[4], 152_00), kind="BANK_TRANSFER", source=stranger, target=other.pocket_id
    )
    made.transfer("told_by_one_leg", (one, day[4], -153_00), kind="BANK_TRANSFER")
    # One leg says that the transfer is within, the other says nothing of it.
    made.transfer("said_by_one", (one, day[5], -170_00))
    transfer = made.names["said_by_one"]
    other.move(day[5], 171_00, "ON_US_IN", "ON_US", details={"on_us_transfer_id": transfer})
    other.move(day[5], 172_00, "ON_US_IN", "ON_US", details={"on_us_transfer_type": _WITHIN})
    one.deliver()
    other.deliver()
    return {**made.told(), "pockets": [one.pocket_id, other.pocket_id]}


@plants("transfer-on-the-last-day")
def _on_the_last_day(site: Site) -> Names:
    if site.after(1) != site.last:
        raise NothingToHit
    made, one, other = _two_pockets(site, 1)
    made.transfer("under_way", (one, one.last, -160_00))
    made.transfer("before", (one, one.first, -161_00))
    one.deliver()
    other.deliver()
    return {**made.told(), "last": one.last.isoformat()}
