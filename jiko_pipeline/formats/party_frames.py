"""The frames of what has no as-of date: people, paper and other sides, as the bank lists them now.

Belongs here: one declaration for each. Does not belong here: how an item becomes a row (`parties`).
"""

from typing import Final

from jiko_pipeline.formats.frame_spec import LOCATOR, YIELD, FrameSpec, content, provenance

_DETAILS: Final = content("details", "VARCHAR", "Unknown fields, as JSON with sorted keys.")
_ADDRESS: Final = content("address", "VARCHAR", "Address, as JSON with sorted keys.")

PORTAL: Final = FrameSpec(
    "portal",
    "One portal (an account number) of a pocket.",
    (
        content("portal_id", "VARCHAR", "Portal.", required=True),
        content("pocket_id", "VARCHAR", "Pocket it leads to.", required=True),
        content("portal_name", "VARCHAR", "Name."),
        content("portal_status", "VARCHAR", "OPEN or CLOSED; an open list.", required=True),
        content("routing_number", "VARCHAR", "Routing number."),
        content("account_number", "VARCHAR", "Account number."),
        _DETAILS,
        LOCATOR,
    ),
    ("portal_id",),
)

TRADING_STRATEGY: Final = FrameSpec(
    "trading_strategy",
    "One strategy that a pocket can follow, with the yields of the moment.",
    (
        content("strategy_id", "VARCHAR", "Strategy, a code such as UST-4W.", required=True),
        content("description", "VARCHAR", "Description."),
        content("applicable_to", "VARCHAR", "DEPOSIT, REINVESTMENT; sorted, with commas."),
        provenance("yield_to_maturity", YIELD, "Yield to maturity of the moment, a fraction."),
        provenance("discount_yield", YIELD, "Discount yield of the moment, a fraction."),
        _DETAILS,
        LOCATOR,
    ),
    ("strategy_id",),
)

COUNTERPARTY: Final = FrameSpec(
    "counterparty",
    "One counterparty of the customer.",
    (
        content("counterparty_id", "VARCHAR", "Counterparty.", required=True),
        content("counterparty_type", "VARCHAR", "ach, wire, international_wire, on_us; an open list.", required=True),
        content("counterparty_status", "VARCHAR", "PENDING, LINKED, UNLINKED; an open list.", required=True),
        content("name_on_account", "VARCHAR", "Name on the account."),
        content("account_number", "VARCHAR", "Account number."),
        content("routing_number", "VARCHAR", "Routing number."),
        content("account_type", "VARCHAR", "CHECKING or SAVINGS."),
        content("institution_name", "VARCHAR", "Bank of the counterparty."),
        content("identifier_code", "VARCHAR", "BIC or IBAN, as `identifier_type` says."),
        content("identifier_type", "VARCHAR", "What the identifier is."),
        _ADDRESS,
        content("wire_instructions", "VARCHAR", "Instructions for wires."),
        content("verification_type", "VARCHAR", "How it was verified; an open list."),
        content("created_at_utc", "TIMESTAMP", "When it was entered, UTC."),
        _DETAILS,
        LOCATOR,
    ),
    ("counterparty_id",),
)

REVIEWER: Final = FrameSpec(
    "reviewer",
    "One person who may approve transfers of others.",
    (
        content("user_id", "VARCHAR", "Person.", required=True),
        content("first_name", "VARCHAR", "First name."),
        content("last_name", "VARCHAR", "Last name."),
        content("email", "VARCHAR", "Mail address."),
        _DETAILS,
        LOCATOR,
    ),
    ("user_id",),
)

SUBSCRIPTION: Final = FrameSpec(
    "subscription",
    "One subscription to events; its shared secret is never kept.",
    (
        content("subscription_id", "VARCHAR", "Subscription.", required=True),
        content("description", "VARCHAR", "Description."),
        content("event_types", "VARCHAR", "Types of events; sorted, with commas."),
        content("target_address", "VARCHAR", "Where events are sent, without query."),
        content("retry_policy", "VARCHAR", "Retry policy, as JSON with sorted keys."),
        content("subscription_status", "VARCHAR", "enabled or disabled; an open list.", required=True),
        content("created_at_utc", "TIMESTAMP", "When it was made, UTC."),
        content("updated_at_utc", "TIMESTAMP", "When it was changed last, UTC."),
        _DETAILS,
        LOCATOR,
    ),
    ("subscription_id",),
)

CUSTOMER: Final = FrameSpec(
    "customer",
    "The customer, a business or a person.",
    (
        content("customer_type", "VARCHAR", "BUSINESS or INDIVIDUAL; an open list.", required=True),
        content("customer_name", "VARCHAR", "Name; that of a person in the order first, middle, last."),
        content("account_status", "VARCHAR", "OPEN, CLOSED, FROZEN, PENDING; an open list."),
        content("email", "VARCHAR", "Mail address."),
        content("phone_number", "VARCHAR", "Telephone."),
        content("identification_number", "VARCHAR", "Number that identifies it, as JSON with its type and country."),
        content("date_of_birth", "DATE", "Date of birth of a person."),
        _ADDRESS,
        _DETAILS,
        LOCATOR,
    ),
    ("customer_type",),
)

BENEFICIAL_OWNER: Final = FrameSpec(
    "beneficial_owner",
    "One beneficial owner of the customer.",
    (
        content("owner_id", "VARCHAR", "Person.", required=True),
        content("owner_name", "VARCHAR", "Name in the order first, middle, last."),
        content("title", "VARCHAR", "Title."),
        content("roles", "VARCHAR", "Roles; sorted, with commas."),
        content("ownership_percentage", "DECIMAL(38,6)", "Share in percent."),
        content("date_of_birth", "DATE", "Date of birth."),
        content("citizenship", "VARCHAR", "Citizenship."),
        _ADDRESS,
        _DETAILS,
        LOCATOR,
    ),
    ("owner_id",),
)

TEAM_MEMBER: Final = FrameSpec(
    "team_member",
    "One member of the customer's team, service users included.",
    (
        content("member_id", "VARCHAR", "Member.", required=True),
        content("first_name", "VARCHAR", "First name."),
        content("last_name", "VARCHAR", "Last name."),
        content("email", "VARCHAR", "Mail address."),
        content("phone_number", "VARCHAR", "Telephone."),
        content("role", "VARCHAR", "Role; an open list."),
        content("member_status", "VARCHAR", "ACTIVE, PENDING, ...; an open list."),
        content("created_at_utc", "TIMESTAMP", "When the member was entered, UTC."),
        provenance("last_login_at_utc", "TIMESTAMP", "Last sign-in before the listing, UTC."),
        _DETAILS,
        LOCATOR,
    ),
    ("member_id",),
)

SIGNED_IN_USER: Final = FrameSpec(
    "signed_in_user",
    "Whom the pipeline's own credentials belong to.",
    (
        content("user_id", "VARCHAR", "User.", required=True),
        content("email", "VARCHAR", "Mail address."),
        content("user_name", "VARCHAR", "Name."),
        content("role", "VARCHAR", "Role; an open list."),
        content("bank_customer_id", "VARCHAR", "The bank's id of the customer."),
        content("phone_number", "VARCHAR", "Telephone."),
        _DETAILS,
        LOCATOR,
    ),
    ("user_id",),
)

MEMBERSHIP: Final = FrameSpec(
    "membership",
    "One team that the owner of the pipeline's credentials is in.",
    (
        content("team_id", "VARCHAR", "Team.", required=True),
        content("team_name", "VARCHAR", "Name of the team."),
        content("role", "VARCHAR", "Role in it; an open list."),
        content("membership_status", "VARCHAR", "Status; an open list."),
        _DETAILS,
        LOCATOR,
    ),
    ("team_id",),
)

AGREEMENT: Final = FrameSpec(
    "agreement",
    "One document of the agreements in force; its link is never kept.",
    (
        content("agreement_version", "VARCHAR", "Version of the agreements.", required=True),
        content("document_title", "VARCHAR", "Title.", required=True),
        content("release_date", "DATE", "Date of the version."),
        content("document_type", "VARCHAR", "Type; an open list."),
        content("category", "VARCHAR", "BANK, BROKERAGE, GENERAL, E-SIGN; an open list."),
        _DETAILS,
        LOCATOR,
    ),
    ("agreement_version", "document_title"),
)

PARTY_FRAMES: Final = (
    PORTAL,
    TRADING_STRATEGY,
    COUNTERPARTY,
    REVIEWER,
    SUBSCRIPTION,
    CUSTOMER,
    BENEFICIAL_OWNER,
    TEAM_MEMBER,
    SIGNED_IN_USER,
    MEMBERSHIP,
    AGREEMENT,
)
