"""What banks do in statements that other readers get wrong."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiko_pipeline.formats import camt053
from jiko_pipeline.formats.camt053.records import Document
from jiko_pipeline.formats.reading import Expectation, Reading, RefusedDocumentError

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
POCKET = "0a1b2c3d-0000-4000-8000-00000000000A"


def balance(code: str = "OPBD", amount: str = "0.00", sign: str | None = "CRDT", day: str = "2024-06-03") -> str:
    indicator = f"<CdtDbtInd>{sign}</CdtDbtInd>" if sign else ""
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="USD">{amount}</Amt>{indicator}'
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def entry(amount: str = "1.00", sign: str = "CRDT", status: str = "<Sts><Cd>BOOK</Cd></Sts>", rest: str = "") -> str:
    return f'<Ntry><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{status}{rest}</Ntry>'


def detail(amount: str, sign: str = "", more: str = "") -> str:
    indicator = f"<CdtDbtInd>{sign}</CdtDbtInd>" if sign else ""
    return f'<TxDtls><Amt Ccy="USD">{amount}</Amt>{indicator}{more}</TxDtls>'


def statement(*parts: str, account: str = POCKET.replace("-", "").lower()) -> str:
    return (
        f"<Stmt><Id>S</Id><Acct><Id><Othr><Id>{account}</Id></Othr></Id><Ccy>USD</Ccy></Acct>"
        + "".join(parts)
        + "</Stmt>"
    )


def document(*statements: str, namespace: str | None = NAMESPACE, header: str = "") -> bytes:
    declared = f' xmlns="{namespace}"' if namespace else ""
    return f"<Document{declared}><BkToCstmrStmt>{header}{''.join(statements)}</BkToCstmrStmt></Document>".encode()


def codes(read: Document | Reading) -> list[str]:
    if isinstance(read, Reading):
        return [finding.code for finding in read.findings]
    return [finding.code for finding in (*read.findings, *(f for s in read.statements for f in s.findings))]


def test_a_reversal_never_flips_the_sign() -> None:
    body = document(statement(balance(), balance("CLBD", "5.00"), entry("5.00", rest="<RvslInd>true</RvslInd>")))
    reading = camt053.read(body)
    assert reading.frames["statement_entry"]["signed_amount"].to_list() == [Decimal("5.00")]
    assert reading.frames["statement_entry"]["is_reversal"].to_list() == [True]
    assert camt053.parse(body).statements[0].foots is True


def test_the_credit_line_of_a_balance_is_not_the_balance() -> None:
    line = '<CdtLine><Incl>false</Incl><Amt Ccy="USD">10000.00</Amt></CdtLine>'
    body = document(statement(balance("CLBD", "23644.83").replace("</Tp>", f"</Tp>{line}")))
    closing = camt053.parse(body).statements[0].closing
    assert closing is not None
    assert closing.signed_amount == Decimal("23644.83")


@pytest.mark.parametrize(
    "envelope",
    [
        "<BizMsgEnvlp><AppHdr><MsgDefIdr>camt.053.001.08</MsgDefIdr></AppHdr>{}</BizMsgEnvlp>",
        '<e:Envelope xmlns:e="urn:swift:xsd:envelope"><e:Body>{}</e:Body></e:Envelope>',
        "<message><AppHdr/>{}</message>",
    ],
)
def test_a_statement_in_an_envelope_is_found_and_said_to_be_in_one(envelope: str) -> None:
    inner = document(statement(balance("CLBD", "7.00"))).decode()
    read = camt053.parse(envelope.format(inner).encode())
    assert len(read.statements) == 1
    assert read.version == "08"
    assert "ENVELOPE" in codes(read)


def test_an_envelope_that_alone_names_the_version_gives_it() -> None:
    inner = document(statement(balance("CLBD", "7.00")), namespace=None).decode()
    envelope = f"<M><AppHdr><MsgDefIdr>camt.053.001.04</MsgDefIdr></AppHdr>{inner}</M>"
    assert camt053.parse(envelope.encode()).version == "04"


def test_another_message_is_refused_by_its_name() -> None:
    body = b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.052.001.08"><BkToCstmrAcctRpt/></Document>'
    with pytest.raises(RefusedDocumentError, match=r"camt\.052"):
        camt053.parse(body)


def test_two_statements_in_one_document_keep_their_own_account_and_entries() -> None:
    read = camt053.read(document(statement(entry("1.00"), account="A"), statement(entry("2.00"), account="B")))
    assert read.frames["statement"]["account_identification"].to_list() == ["A", "B"]
    assert read.frames["statement_entry"].select("statement_seq", "entry_seq", "signed_amount").rows() == [
        (1, 1, Decimal("1.00")),
        (2, 1, Decimal("2.00")),
    ]


def test_all_blocks_of_details_are_read_and_numbered_through() -> None:
    blocks = f"<NtryDtls>{detail('1.00')}{detail('2.00')}</NtryDtls><NtryDtls>{detail('3.00')}</NtryDtls>"
    read = camt053.read(document(statement(entry("6.00", "DBIT", rest=blocks))))
    details = read.frames["statement_entry_detail"]
    assert details["signed_amount"].to_list() == [Decimal("-1.00"), Decimal("-2.00"), Decimal("-3.00")]
    assert details["detail_seq"].to_list() == [1, 2, 3]
    assert details["document_locator"].to_list()[2] == "Stmt[1]/Ntry[1]/NtryDtls[2]/TxDtls[1]"
    assert "DETAILS_RESIDUAL" not in codes(read)


def test_details_that_do_not_sum_to_their_entry_are_told_and_the_entry_is_booked() -> None:
    block = f"<NtryDtls>{detail('1500.00')}</NtryDtls>"
    read = camt053.read(document(statement(entry("1526.00", rest=block))))
    assert codes(read) == ["DETAILS_RESIDUAL"]
    assert read.frames["statement_entry"]["signed_amount"].to_list() == [Decimal("1526.00")]


def test_a_detail_may_have_the_opposite_sign_of_its_entry() -> None:
    block = f"<NtryDtls>{detail('12.00', 'CRDT')}{detail('2.00', 'DBIT')}</NtryDtls>"
    read = camt053.read(document(statement(entry("10.00", rest=block))))
    signed = read.frames["statement_entry_detail"]["signed_amount"].to_list()
    assert signed == [Decimal("12.00"), Decimal("-2.00")]
    assert codes(read) == []


def test_a_detail_in_another_currency_is_not_compared_with_its_entry() -> None:
    block = "<NtryDtls>" + detail("9.00").replace("USD", "EUR") + "</NtryDtls>"
    assert codes(camt053.read(document(statement(entry("10.00", rest=block))))) == []


@pytest.mark.parametrize(
    ("codes_in_order", "opening", "closing"),
    [
        (("PRCD", "OPBD", "CLBD", "CLAV"), "OPBD", "CLBD"),
        (("PRCD", "CLBD", "CLAV", "FWAV"), "PRCD", "CLBD"),
        (("ITBD", "ITBD"), "ITBD", "ITBD"),
        (("ITBD",), None, "ITBD"),
        (("ITBD", "CLBD"), "ITBD", "CLBD"),
        (("CLAV", "ITAV"), None, None),
    ],
)
def test_opening_and_closing_are_booked_balances(
    codes_in_order: tuple[str, ...], opening: str | None, closing: str | None
) -> None:
    read = camt053.parse(document(statement(*(balance(code) for code in codes_in_order)))).statements[0]
    assert (read.opening.balance_code if read.opening else None) == opening
    assert (read.closing.balance_code if read.closing else None) == closing


def test_of_several_interim_balances_the_first_opens_and_the_last_closes() -> None:
    parts = [balance("ITBD", amount) for amount in ("1.00", "2.00", "3.00")]
    read = camt053.parse(document(statement(*parts, entry("2.00")))).statements[0]
    assert read.opening is not None
    assert read.closing is not None
    assert (read.opening.signed_amount, read.closing.signed_amount) == (Decimal("1.00"), Decimal("3.00"))
    assert read.foots is True


def test_a_debit_balance_is_negative_and_one_without_a_sign_positive_with_a_finding() -> None:
    read = camt053.read(document(statement(balance("OPBD", "3.00", "DBIT"), balance("CLBD", "4.00", None))))
    assert read.frames["statement_balance"]["signed_amount"].to_list() == [Decimal("-3.00"), Decimal("4.00")]
    assert "MISSING_SIGN" in codes(read)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("<Dt>2024-06-03</Dt>", date(2024, 6, 3)),
        ("<Dt> 2024-06-03 </Dt>", date(2024, 6, 3)),
        ("<Dt>2024-06-03+02:00</Dt>", date(2024, 6, 3)),
        ("<DtTm>2024-06-03T23:59:59.999999999</DtTm>", date(2024, 6, 3)),
        ("<DtTm>2024-06-03T23:30:00-05:00</DtTm>", date(2024, 6, 3)),
        ("<DtTm>2024-06-03T00:30:00Z</DtTm>", date(2024, 6, 3)),
        ("", None),
    ],
)
def test_dates_are_the_calendar_day_as_written(written: str, day: date | None) -> None:
    read = camt053.read(document(statement(entry(rest=f"<BookgDt>{written}</BookgDt>"))))
    assert read.frames["statement_entry"]["booking_date"].to_list() == [day]
    assert "ODD_DATE" not in codes(read)


@pytest.mark.parametrize("written", ["2024-13-01", "03.06.2024", "2024-W23-1", "20240603"])
def test_text_that_is_no_date_is_a_finding_and_no_date(written: str) -> None:
    read = camt053.read(document(statement(entry(rest=f"<ValDt><Dt>{written}</Dt></ValDt>"))))
    assert read.frames["statement_entry"]["value_date"].to_list() == [None]
    assert codes(read) == ["ODD_DATE"]


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("000000000000149.87", "149.87"),
        ("149", "149.00"),
        ("149.", "149.00"),
        (".5", "0.50"),
        ("18.15000", "18.15"),
        (" 1.20\n", "1.20"),
        ("+3.00", "3.00"),
    ],
)
def test_amounts_are_read_exactly_however_they_are_padded(written: str, amount: str) -> None:
    read = camt053.read(document(statement(entry(written))))
    assert read.frames["statement_entry"]["signed_amount"].to_list() == [Decimal(amount)]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("1,50", "AMOUNT_UNREADABLE"),
        ("NaN", "AMOUNT_UNREADABLE"),
        ("Infinity", "AMOUNT_UNREADABLE"),
        ("1e5", "AMOUNT_UNREADABLE"),
        ("1_000", "AMOUNT_UNREADABLE"),
        ("٣.٠٠", "AMOUNT_UNREADABLE"),
        ("", "AMOUNT_UNREADABLE"),
        ("--1", "AMOUNT_UNREADABLE"),
        ("1.005", "AMOUNT_EXCESS_DIGITS"),
        ("9" * 40, "AMOUNT_EXCESS_DIGITS"),
    ],
)
def test_an_amount_that_is_none_or_too_fine_refuses_the_document_and_is_shown_to_people(
    written: str, code: str
) -> None:
    body = document(statement(balance(), balance("CLBD", "1.00"), entry("1.00"), entry(written)))
    with pytest.raises(RefusedDocumentError) as refusal:
        camt053.read(body)
    assert (refusal.value.code, refusal.value.locator) == (code, "Stmt[1]/Ntry[2]")
    shown = camt053.parse(body).statements[0]
    assert shown.totals.entries == 2
    assert code in [finding.code for finding in shown.findings]
    assert shown.foots is not True


def test_an_entry_without_direction_refuses_the_document() -> None:
    body = document(statement('<Ntry><Amt Ccy="USD">1.00</Amt></Ntry>'))
    with pytest.raises(RefusedDocumentError) as refusal:
        camt053.read(body)
    assert refusal.value.code == "MISSING_SIGN"


def test_a_negative_amount_is_reported() -> None:
    read = camt053.read(document(statement(entry("-5.00", "DBIT"))))
    assert read.frames["statement_entry"]["signed_amount"].to_list() == [Decimal("5.00")]
    assert codes(read) == ["NEGATIVE_AMOUNT"]


def test_entries_that_are_not_booked_are_in_no_footing() -> None:
    pending, info = "<Sts><Cd>PDNG</Cd></Sts>", "<Sts>INFO</Sts>"
    parts = (balance(), balance("CLBD", "1.00"), entry("1.00"), entry("8.00", status=pending), entry("9", status=info))
    read = camt053.parse(document(statement(*parts))).statements[0]
    assert read.foots is True
    assert (read.totals.net_booked, read.totals.net_all) == (Decimal("1.00"), Decimal("18.00"))


def test_an_entry_without_status_counts_as_booked_and_is_told_once() -> None:
    parts = (balance(), balance("CLBD", "2.00"), entry(status=""), entry(status=""))
    read = camt053.parse(document(statement(*parts)))
    assert read.statements[0].foots is True
    assert codes(read) == ["MISSING_STATUS"]


def test_a_statement_that_does_not_foot_is_told_and_not_refused() -> None:
    read = camt053.read(document(statement(balance(), balance("CLBD", "2.00"), entry("1.00"))))
    assert codes(read) == ["FOOTING"]


@pytest.mark.fault_rows(96)
def test_a_summary_that_disagrees_is_told() -> None:
    summary = "<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>"
    read = camt053.read(document(statement(summary, entry())))
    assert codes(read) == ["SUMMARY_MISMATCH"]


def test_credits_less_debits_are_the_net_of_a_summary_that_states_none() -> None:
    credits = "<TtlCdtNtries><Sum>5.00</Sum></TtlCdtNtries>"
    debits = "<TtlDbtNtries><Sum>7.50</Sum></TtlDbtNtries>"
    summary = f"<TxsSummry>{credits}{debits}</TxsSummry>"
    read = camt053.read(document(statement(summary, entry("5.00"), entry("7.50", "DBIT"))))
    assert read.frames["statement"]["summary_net_amount"].to_list() == [Decimal("-2.50")]
    assert codes(read) == []


@pytest.mark.parametrize(("page", "last", "told"), [("1", "true", False), ("1", "false", True), ("2", "true", True)])
def test_a_page_of_several_is_told(page: str, last: str, told: bool) -> None:
    paging = f"<StmtPgntn><PgNb>{page}</PgNb><LastPgInd>{last}</LastPgInd></StmtPgntn>"
    assert ("PAGINATION" in codes(camt053.parse(document(statement(paging))))) is told


def test_a_copy_is_told() -> None:
    read = camt053.read(document(statement("<CpyDplctInd>DUPL</CpyDplctInd>")))
    assert codes(read) == ["COPY_OR_DUPLICATE"]
    assert read.frames["statement"]["copy_duplicate"].to_list() == ["DUPL"]


@pytest.mark.parametrize(
    ("declared", "encoding", "code"),
    [
        ("ISO-8859-1", "iso-8859-1", "LATIN_ENCODING"),
        ("iso-8859-15", "iso-8859-15", "LATIN_ENCODING"),
        ("windows-1252", "windows-1252", "LATIN_ENCODING"),
        ("UTF-8", "iso-8859-15", "ENCODING_REPAIRED"),
        ("US-ASCII", "iso-8859-15", "ENCODING_REPAIRED"),
        ("UTF-8", "windows-1252", "ENCODING_REPAIRED"),
    ],
)
def test_latin_bytes_are_decoded_and_told(declared: str, encoding: str, code: str) -> None:
    name = "Müller “quoted”" if encoding == "windows-1252" else "Müller & Söhne".replace("&", "und")
    text = document(statement(entry(rest=f"<AddtlNtryInf>{name}</AddtlNtryInf>"))).decode()
    body = f'<?xml version="1.0" encoding="{declared}"?>{text}'.encode(encoding)
    read = camt053.read(body)
    assert read.frames["statement_entry"]["additional_information"].to_list() == [name]
    assert codes(read) == [code]


def test_a_byte_order_mark_is_no_matter() -> None:
    assert codes(camt053.read(b"\xef\xbb\xbf" + document(statement(entry())))) == []


@pytest.mark.parametrize(
    ("namespace", "version"),
    [
        (None, None),
        ("ISO:camt.053.001.02", "02"),
        ("iso:20023:camt.053.001.08 x|y", "08"),
        ("Camt053.053.001.02", "02"),
        ("urn:iso:std:iso:20022:tech:xsd:camt.053.001.15", "15"),
    ],
)
@pytest.mark.fault_rows(96)
def test_any_namespace_or_none_is_read(namespace: str | None, version: str | None) -> None:
    read = camt053.parse(document(statement(entry()), namespace=namespace))
    assert read.version == version
    assert read.statements[0].totals.entries == 1
    assert ("UNKNOWN_VERSION" in codes(read)) is (version not in ("02", "08"))


def test_prefixed_elements_are_read() -> None:
    body = (
        f'<x:Document xmlns:x="{NAMESPACE}"><x:BkToCstmrStmt><x:Stmt><x:Ntry><x:Amt Ccy="USD">1.00</x:Amt>'
        "<x:CdtDbtInd>DBIT</x:CdtDbtInd></x:Ntry></x:Stmt></x:BkToCstmrStmt></x:Document>"
    )
    assert camt053.parse(body.encode()).statements[0].totals.net_booked == Decimal("-1.00")


def test_supplementary_data_is_never_mistaken_for_the_statement() -> None:
    inner = statement(balance("CLBD", "99.00"), entry("99.00", rest=f"<NtryDtls>{detail('99.00')}</NtryDtls>"))
    aside = (
        f'<SplmtryData><Envlp><f:Document xmlns:f="urn:f"><BkToCstmrStmt>{inner}</BkToCstmrStmt>'
        "<f:Ntry/><Ntry/><TxDtls/></f:Document></Envlp></SplmtryData>"
    )
    block = f"<NtryDtls>{detail('1.00', more=aside)}</NtryDtls>"
    read = camt053.read(document(statement(entry("1.00", rest=block), aside), header=aside))
    assert read.frames["statement"].height == 1
    assert read.frames["statement_entry"]["signed_amount"].to_list() == [Decimal("1.00")]
    assert read.frames["statement_entry_detail"].height == 1


def asked(first: date, last: date | None = None, pocket: str = POCKET) -> Expectation:
    return Expectation(pocket_ids=frozenset({pocket}), first=first, last=last or first)


def test_the_statement_that_was_asked_for_is_taken() -> None:
    body = document(statement(balance("CLBD", "1.00"), entry()))
    assert camt053.read(body, asked(date(2024, 6, 3))).rows_in_document == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (document(statement(balance("CLBD"), account="other")), "ECHO_MISMATCH"),
        (document(statement(balance("CLBD", day="2024-06-04"))), "ECHO_MISMATCH"),
        (document(statement(entry())), "ECHO_MISMATCH"),
        (document(statement(balance("CLBD")), statement(balance("CLBD"))), "SEVERAL_STATEMENTS"),
        (
            document(statement("<StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn>", balance("CLBD"))),
            "INCOMPLETE",
        ),
        (document(statement(balance("CLBD"), entry().replace("USD", "EUR"))), "MIXED_CURRENCY"),
    ],
    ids=["account", "day", "no day", "twice", "first page only", "currency"],
)
@pytest.mark.fault_rows(96)
def test_a_statement_that_was_not_asked_for_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(RefusedDocumentError) as refusal:
        camt053.read(body, asked(date(2024, 6, 3)))
    assert refusal.value.code == code


amounts = st.decimals(min_value=0, max_value=10**15, places=2, allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(amounts, st.sampled_from(["CRDT", "DBIT"])), max_size=20), amounts)
@settings(max_examples=60, deadline=None)
def test_a_statement_made_to_foot_foots_and_every_amount_survives(
    bookings: list[tuple[Decimal, str]], opening: Decimal
) -> None:
    signed = [-amount if sign == "DBIT" else amount for amount, sign in bookings]
    closing = opening + sum(signed, Decimal(0))
    body = document(
        statement(
            balance("OPBD", f"{opening:f}"),
            balance("CLBD", f"{abs(closing):f}", "DBIT" if closing < 0 else "CRDT"),
            *(entry(f"{amount:f}", sign) for amount, sign in bookings),
        )
    )
    assert camt053.read(body).frames["statement_entry"]["signed_amount"].to_list() == signed
    assert camt053.parse(body).statements[0].foots is True
