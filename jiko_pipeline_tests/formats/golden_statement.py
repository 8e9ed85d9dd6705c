"""One statement, written in each of the fourteen versions of camt.053.

Belongs here: what differs between the versions of the schema in the fields that are read. The independent
witness is the schema itself: `test_camt053_versions` validates each rendering.
"""

from typing import Final

from jiko_pipeline_tests.formats.golden_securities import interest_terms, securities_entry

VERSIONS: Final = tuple(f"{number:02d}" for number in range(1, 15))
ACCOUNT: Final = "DE89370400440532013000"
HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


def render(version: str) -> bytes:
    """The golden statement: a batch in two blocks, a reversal, a pending entry, paging, a purchase of securities."""
    number = int(version)
    root = "BkToCstmrStmtV01" if number == 1 else "BkToCstmrStmt"
    paging = "<StmtPgntn><PgNb>1</PgNb><LastPgInd>true</LastPgInd></StmtPgntn>" if number >= 3 else ""
    bic = "BICFI" if number >= 3 else "BIC"
    body = (
        f"<GrpHdr><MsgId>MSG-1</MsgId><CreDtTm>2024-06-04T06:00:00+02:00</CreDtTm>"
        f"<MsgPgntn><PgNb>1</PgNb><LastPgInd>true</LastPgInd></MsgPgntn></GrpHdr>"
        f"<Stmt><Id>STMT-1</Id>{paging}<ElctrncSeqNb>17</ElctrncSeqNb><LglSeqNb>4</LglSeqNb>"
        "<CreDtTm>2024-06-04T06:00:00+02:00</CreDtTm>"
        "<FrToDt><FrDtTm>2024-06-03T00:00:00</FrDtTm><ToDtTm>2024-06-03T23:59:59.999999999</ToDtTm></FrToDt>"
        f"<Acct><Id><IBAN>{ACCOUNT}</IBAN></Id><Ccy>EUR</Ccy><Nm>Operating</Nm>"
        f"<Ownr><Nm>Us</Nm></Ownr><Svcr><FinInstnId><{bic}>GGGGDEFFXXX</{bic}></FinInstnId></Svcr></Acct>"
        f"<Intrst>{interest_terms(number)}</Intrst>"
        f"{_balance('OPBD', '1000.00', 'CRDT', '2024-06-02', number, credit_line=True)}"
        f"{_balance('CLBD', '1089.80', 'CRDT', '2024-06-03', number)}"
        f"{_summary(number)}{_batch(number)}{_reversal(number)}{_pending(number)}{securities_entry(number)}"
        "<AddtlStmtInf>nothing else</AddtlStmtInf></Stmt>"
    )
    namespace = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
    return f'{HEAD}<Document xmlns="{namespace}"><{root}>{body}</{root}></Document>'.encode()


def _balance(code: str, amount: str, sign: str, day: str, number: int, *, credit_line: bool = False) -> str:
    kind = f"<Cd>{code}</Cd>" if number == 1 else f"<CdOrPrtry><Cd>{code}</Cd></CdOrPrtry>"
    kind_of_line = "<Tp><Cd>PRAP</Cd></Tp>" if number >= 7 else ""
    day_of_line = "<Dt><Dt>2024-06-01</Dt></Dt>" if number >= 7 else ""
    line = f'<CdtLine><Incl>false</Incl>{kind_of_line}<Amt Ccy="EUR">50000.00</Amt>{day_of_line}</CdtLine>'
    available = (
        '<Avlbty><Dt><NbOfDays>1</NbOfDays></Dt><Amt Ccy="EUR">400.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Avlbty>'
        '<Avlbty><Dt><ActlDt>2024-06-05</ActlDt></Dt><Amt Ccy="EUR">600.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Avlbty>'
    )
    return (
        f'<Bal><Tp>{kind}</Tp>{line if credit_line else ""}<Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'
        f"<Dt><Dt>{day}</Dt></Dt>{available if credit_line else ''}</Bal>"
    )


def _summary(number: int) -> str:
    net = (
        "<TtlNetNtryAmt>82.80</TtlNetNtryAmt><CdtDbtInd>CRDT</CdtDbtInd>"
        if number <= 3
        else "<TtlNetNtry><Amt>82.80</Amt><CdtDbtInd>CRDT</CdtDbtInd></TtlNetNtry>"
    )
    return f"<TxsSummry><TtlNtries><NbOfNtries>4</NbOfNtries>{net}</TtlNtries></TxsSummry>"


def _entry(
    number: int,
    reference: str,
    amount: str,
    sign: str,
    status: str,
    day: str,
    blocks: list[str],
    reversal: str,
    batch: str = "",
) -> str:
    state = f"<Sts><Cd>{status}</Cd></Sts>" if number >= 7 else f"<Sts>{status}</Sts>"
    ntry_ref = f"<NtryRef>{reference}</NtryRef>" if number >= 2 else ""
    code = (
        "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn>"
        "<Prtry><Cd>ACH_CREDIT</Cd><Issr>JIKO</Issr></Prtry></BkTxCd>"
    )
    details = batch if number == 1 else ""
    for place, block in enumerate(blocks):
        details += block if number == 1 else f"<NtryDtls>{batch if place == 0 else ''}{block}</NtryDtls>"
    return (
        f'<Ntry>{ntry_ref}<Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{reversal}{state}'
        f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><DtTm>{day}T23:30:00-05:00</DtTm></ValDt>"
        f"<AcctSvcrRef>SVC-{reference}</AcctSvcrRef>{code}{details}"
        f"<AddtlNtryInf>about {reference}</AddtlNtryInf></Ntry>"
    )


def _detail(number: int, end_to_end: str, amount: str, sign: str, name: str) -> str:
    uetr = "<UETR>00000000-0000-4000-8000-000000000000</UETR>" if number >= 8 else ""
    party = f"<Pty><Nm>{name}</Nm></Pty>" if number >= 7 else f"<Nm>{name}</Nm>"
    other = "<Pty><Nm>Us</Nm></Pty>" if number >= 7 else "<Nm>Us</Nm>"
    if number >= 3:
        money = f'<Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'
        amounts = '<AmtDtls><InstdAmt><Amt Ccy="USD">7.77</Amt></InstdAmt></AmtDtls>'
    else:
        money = ""
        amounts = (
            '<AmtDtls><InstdAmt><Amt Ccy="USD">7.77</Amt></InstdAmt>'
            f'<TxAmt><Amt Ccy="EUR">{amount}</Amt></TxAmt></AmtDtls>'
        )
    return (
        f"<TxDtls><Refs><AcctSvcrRef>D-{end_to_end}</AcctSvcrRef><InstrId>I-{end_to_end}</InstrId>"
        f"<EndToEndId>{end_to_end}</EndToEndId>{uetr}<TxId>T-{end_to_end}</TxId></Refs>{money}{amounts}"
        f"<RltdPties><Dbtr>{party}</Dbtr><Cdtr>{other}</Cdtr></RltdPties>"
        f"<RmtInf><Ustrd>first line</Ustrd><Ustrd>second line</Ustrd></RmtInf>"
        f"<AddtlTxInf>more on {end_to_end}</AddtlTxInf></TxDtls>"
    )


def _batch(number: int) -> str:
    details = [
        _detail(number, f"E{i}", amount, "CRDT", f"Payer {i}") for i, amount in enumerate(("150.00", "40.00", "10.00"))
    ]
    total = '<TtlAmt Ccy="EUR">200.00</TtlAmt><CdtDbtInd>CRDT</CdtDbtInd>' if number >= 2 else ""
    batch = f"<Btch><MsgId>PAIN-1</MsgId><PmtInfId>PMT-1</PmtInfId><NbOfTxs>3</NbOfTxs>{total}</Btch>"
    return _entry(
        number, "N1", "200.00", "CRDT", "BOOK", "2024-06-03", [details[0] + details[1], details[2]], "", batch
    )


def _reversal(number: int) -> str:
    reversal = "<RvslInd>true</RvslInd>"
    details = [_detail(number, "R1", "11.50", "DBIT", "Payer R")]
    return _entry(number, "N2", "11.50", "DBIT", "BOOK", "2024-06-03", details, reversal)


def _pending(number: int) -> str:
    details = [_detail(number, "P1", "7.00", "DBIT", "Payer P")]
    return _entry(number, "N3", "7.00", "DBIT", "PDNG", "2024-06-03", details, "")
