"""The richest entry of the golden statement: a purchase of securities in a foreign currency, with everything.

Belongs here: where each of its fields stands in each version of the schema; what a version has no place for is
left out, and `SINCE` in `test_camt053_versions` says so.
"""


def securities_entry(number: int) -> str:
    """A debit of 98.70 EUR in version `number`, in the schema's order."""
    status = "<Sts><Cd>BOOK</Cd></Sts>" if number >= 7 else "<Sts>BOOK</Sts>"
    reference = "<NtryRef>N4</NtryRef>" if number >= 2 else ""
    channel = "<TechInptChanl><Cd>FAXI</Cd></TechInptChanl>" if number >= 2 else ""
    transaction = f"<TxDtls>{_transaction(number)}</TxDtls>"
    return (
        f'<Ntry>{reference}<Amt Ccy="EUR">98.70</Amt><CdtDbtInd>DBIT</CdtDbtInd><RvslInd>false</RvslInd>{status}'
        "<BookgDt><Dt>2024-06-03</Dt></BookgDt><ValDt><Dt>2024-06-05</Dt></ValDt><AcctSvcrRef>SVC-N4</AcctSvcrRef>"
        f"{_available('98.70')}{_bank_transaction_code('SECU', 'SETT', 'TRAD', 'BUY')}"
        "<ComssnWvrInd>true</ComssnWvrInd>"
        "<AddtlInfInd><MsgNmId>camt.054.001.08</MsgNmId><MsgId>NTF-1</MsgId></AddtlInfInd>"
        f"{_amounts(number)}{_charge(number)}{channel}{_interest(number)}"
        f"{transaction if number == 1 else f'<NtryDtls>{transaction}</NtryDtls>'}"
        "<AddtlNtryInf>about N4</AddtlNtryInf></Ntry>"
    )


def _available(amount: str) -> str:
    return (
        f'<Avlbty><Dt><ActlDt>2024-06-05</ActlDt></Dt><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd></Avlbty>'
    )


def _bank_transaction_code(domain: str, family: str, sub_family: str, own: str) -> str:
    return (
        f"<BkTxCd><Domn><Cd>{domain}</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{sub_family}</SubFmlyCd></Fmly></Domn>"
        f"<Prtry><Cd>{own}</Cd><Issr>JIKO</Issr></Prtry></BkTxCd>"
    )


def _amounts(number: int) -> str:
    base = "<XchgRateBase>1</XchgRateBase>" if number >= 11 else ""
    exchange = (
        "<CcyXchg><SrcCcy>USD</SrcCcy><TrgtCcy>EUR</TrgtCcy><UnitCcy>EUR</UnitCcy><XchgRate>1.0637</XchgRate>"
        f"<CtrctId>FX-1</CtrctId><QtnDt>2024-06-03T10:00:00Z</QtnDt>{base}</CcyXchg>"
    )
    return (
        f'<AmtDtls><InstdAmt><Amt Ccy="USD">104.99</Amt></InstdAmt><TxAmt><Amt Ccy="EUR">98.70</Amt>{exchange}</TxAmt>'
        '<CntrValAmt><Amt Ccy="EUR">98.70</Amt></CntrValAmt><AnncdPstngAmt><Amt Ccy="EUR">98.71</Amt></AnncdPstngAmt>'
        '<PrtryAmt><Tp>IBS</Tp><Amt Ccy="USD">104.98</Amt></PrtryAmt></AmtDtls>'
    )


def _charge(number: int) -> str:
    """Two shapes: itself the record, or with records below."""
    sign = "<CdtDbtInd>DBIT</CdtDbtInd>" if number >= 2 else ""
    included = "<ChrgInclInd>true</ChrgInclInd>" if number >= 4 else ""
    agent = "Agt" if number >= 3 else "Pty"
    record = (
        f'<Amt Ccy="EUR">1.20</Amt>{sign}{included}<Tp><Cd>BRKF</Cd></Tp><Rate>0.5</Rate><Br>DEBT</Br>'
        f"<{agent}><FinInstnId><{_bic(number)}>DEUTDEFFXXX</{_bic(number)}></FinInstnId></{agent}>"
        '<Tax><Rate>19</Rate><Amt Ccy="EUR">0.19</Amt></Tax>'
    )
    total = '<TtlChrgsAndTaxAmt Ccy="EUR">1.39</TtlChrgsAndTaxAmt>'
    return f"<Chrgs>{total}{f'<Rcrd>{record}</Rcrd>' if number >= 3 else record}</Chrgs>"


def interest_terms(number: int) -> str:
    """What interest says of itself beside its amount; a statement's own has no amount."""
    rate = "<Rate><PctgRate>2.25</PctgRate></Rate>" if number == 1 else "<Tp><Pctg>2.25</Pctg></Tp>"
    return (
        f"<Tp><Cd>OVRN</Cd></Tp><Rate>{rate}</Rate>"
        "<FrToDt><FrDtTm>2024-06-01T00:00:00</FrDtTm><ToDtTm>2024-06-03T00:00:00</ToDtTm></FrToDt><Rsn>accrued</Rsn>"
    )


def _interest(number: int) -> str:
    """Two shapes as well."""
    record = f'<Amt Ccy="EUR">0.33</Amt><CdtDbtInd>DBIT</CdtDbtInd>{interest_terms(number)}'
    return f"<Intrst>{f'<Rcrd>{record}</Rcrd>' if number >= 3 else record}</Intrst>"


def _bic(number: int) -> str:
    return "BICFI" if number >= 3 else "BIC"


def _transaction(number: int) -> str:
    own = '<Amt Ccy="EUR">98.70</Amt><CdtDbtInd>DBIT</CdtDbtInd>' if number >= 3 else ""
    instrument = "<LclInstrm><Cd>B2B</Cd></LclInstrm>" if number >= 7 else ""
    kind = (
        "<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl><CtgyPurp><Cd>SECU</Cd></CtgyPurp></PmtTpInf>" if number >= 10 else ""
    )
    return (
        f"{_references(number)}{own}{_amounts(number)}{_available('98.70')}"
        f"{_bank_transaction_code('SECU', 'SETT', 'TRAD', 'BUY-D')}{_charge(number)}{_interest(number)}"
        f"{_parties(number)}{_agents(number)}{instrument}{kind}<Purp><Cd>SECU</Cd></Purp>{_remittance(number)}"
        f"{_dates(number)}{_security(number)}{_return(number)}{_corporate_action(number)}{_safekeeping(number)}"
        "<AddtlTxInf>more on N4</AddtlTxInf>"
    )


def _references(number: int) -> str:
    def since(first: int, text: str) -> str:
        return text if number >= first else ""

    return (
        "<Refs><MsgId>PAIN-4</MsgId><AcctSvcrRef>D-N4</AcctSvcrRef>"
        f"{since(2, '<PmtInfId>PMT-4</PmtInfId>')}"
        "<InstrId>I-N4</InstrId><EndToEndId>E-N4</EndToEndId>"
        f"{since(8, '<UETR>00000000-0000-4000-8000-000000000004</UETR>')}"
        "<TxId>T-N4</TxId><MndtId>M-N4</MndtId><ChqNb>42</ChqNb><ClrSysRef>C-N4</ClrSysRef>"
        + since(
            3,
            "<AcctOwnrTxId>O-N4</AcctOwnrTxId><AcctSvcrTxId>S-N4</AcctSvcrTxId>"
            "<MktInfrstrctrTxId>MI-N4</MktInfrstrctrTxId><PrcgId>P-N4</PrcgId>",
        )
        + since(14, "<RtrId>R-N4</RtrId>")
        + "<Prtry><Tp>DEAL</Tp><Ref>DEAL-4</Ref></Prtry></Refs>"
    )


def _party(number: int, tag: str, name: str, bic: str) -> str:
    kind = "BIC" if number == 1 else "BICOrBEI" if number == 2 else "AnyBIC"
    inner = f"<Nm>{name}</Nm><PstlAdr><Ctry>DE</Ctry></PstlAdr><Id><OrgId><{kind}>{bic}</{kind}></OrgId></Id>"
    return f"<{tag}><Pty>{inner}</Pty></{tag}>" if number >= 7 else f"<{tag}>{inner}</{tag}>"


def _parties(number: int) -> str:
    def account(tag: str, iban: str) -> str:
        return f"<{tag}><Id><IBAN>{iban}</IBAN></Id></{tag}>"

    return (
        f"<RltdPties>{_party(number, 'InitgPty', 'Initiator', 'AAAADEFFXXX')}"
        f"{_party(number, 'Dbtr', 'Us', 'BBBBDEFFXXX')}"
        f"{account('DbtrAcct', 'DE89370400440532013000')}{_party(number, 'UltmtDbtr', 'Our fund', 'CCCCDEFFXXX')}"
        f"{_party(number, 'Cdtr', 'Broker', 'DDDDDEFFXXX')}{account('CdtrAcct', 'GB29NWBK60161331926819')}"
        f"{_party(number, 'UltmtCdtr', 'Seller', 'EEEEDEFFXXX')}{_party(number, 'TradgPty', 'Trader', 'FFFFDEFFXXX')}"
        "</RltdPties>"
    )


def _agents(number: int) -> str:
    def agent(tag: str, bic: str, name: str) -> str:
        member = (
            "<ClrSysMmbId><Id>USABA021000021</Id></ClrSysMmbId>"
            if number == 1
            else ("<ClrSysMmbId><MmbId>USABA021000021</MmbId></ClrSysMmbId>")
        )
        inner = f"<{_bic(number)}>{bic}</{_bic(number)}>{member}<Nm>{name}</Nm>"
        inner = f"<CmbndId>{inner}</CmbndId>" if number == 1 else inner
        return f"<{tag}><FinInstnId>{inner}</FinInstnId></{tag}>"

    return (
        f"<RltdAgts>{agent('DbtrAgt', 'GGGGDEFFXXX', 'Our bank')}{agent('CdtrAgt', 'HHHHGB2LXXX', 'Their bank')}"
        f"{agent('IntrmyAgt1', 'IIIIUS33XXX', 'Between')}{agent('RcvgAgt', 'JJJJUS33XXX', 'Receiver')}"
        f"{agent('DlvrgAgt', 'KKKKUS33XXX', 'Deliverer')}{agent('SttlmPlc', 'FRNYUS33XXX', 'Fed')}</RltdAgts>"
    )


def _remittance(number: int) -> str:
    if number == 1:
        document = (
            "<RfrdDocInf><RfrdDocTp><Cd>CINV</Cd></RfrdDocTp><RfrdDocNb>INV-9</RfrdDocNb></RfrdDocInf>"
            '<RfrdDocRltdDt>2024-06-01</RfrdDocRltdDt><RfrdDocAmt><RmtdAmt Ccy="EUR">98.70</RmtdAmt></RfrdDocAmt>'
            "<CdtrRefInf><CdtrRefTp><Cd>SCOR</Cd><Issr>ISO</Issr></CdtrRefTp>"
            "<CdtrRef>RF18539007547034</CdtrRef></CdtrRefInf>"
        )
    else:
        day = "<RltdDt>2024-06-01</RltdDt>"
        amount = '<RfrdDocAmt><RmtdAmt Ccy="EUR">98.70</RmtdAmt></RfrdDocAmt>'
        if number >= 12:
            day = "<RltdDt><Tp><Cd>INDA</Cd></Tp><Dt>2024-06-01</Dt></RltdDt>"
            amount = (
                '<RfrdDocAmt><RmtAmtAndTp><Tp><Cd>RMTD</Cd></Tp><Amt Ccy="EUR">98.70</Amt></RmtAmtAndTp></RfrdDocAmt>'
            )
        document = (
            f"<RfrdDocInf><Tp><CdOrPrtry><Cd>CINV</Cd></CdOrPrtry></Tp><Nb>INV-9</Nb>{day}</RfrdDocInf>{amount}"
            "<CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry><Issr>ISO</Issr></Tp>"
            "<Ref>RF18539007547034</Ref></CdtrRefInf>"
        )
    return (
        f"<RmtInf><Ustrd>10,000 bills</Ustrd><Strd>{document}<Invcr><Nm>Broker</Nm></Invcr><Invcee><Nm>Us</Nm></Invcee>"
        "<AddtlRmtInf>settles INV-9</AddtlRmtInf></Strd></RmtInf>"
    )


def _dates(number: int) -> str:
    contractual = "<TradActvtyCtrctlSttlmDt>2024-06-05</TradActvtyCtrctlSttlmDt>" if number >= 2 else ""
    return (
        f"<RltdDts><AccptncDtTm>2024-06-03T09:59:00Z</AccptncDtTm>{contractual}<TradDt>2024-06-03</TradDt>"
        "<IntrBkSttlmDt>2024-06-04</IntrBkSttlmDt><StartDt>2024-06-05</StartDt><EndDt>2024-12-05</EndDt>"
        "<TxDtTm>2024-06-03T10:01:00Z</TxDtTm></RltdDts>"
    )


def _security(number: int) -> str:
    price = (
        '<RltdPric><DealPric><Tp><ValTp>PARV</ValTp></Tp><Val><Amt Ccy="USD">97.375</Amt></Val></DealPric></RltdPric>'
        if number >= 3
        else '<RltdPric><DealPric Ccy="USD">97.375</DealPric></RltdPric>'
    )
    # Before the third version the identification is the ISIN or another one, from then on both.
    identification = (
        "<ISIN>US912797KH20</ISIN><OthrId><Id>912797KH2</Id><Tp><Cd>CUSP</Cd></Tp></OthrId><Desc>Bill</Desc>"
        if number >= 3
        else "<Prtry><Tp>CUSP</Tp><Id>912797KH2</Id></Prtry>"
    )
    original = (
        "<RltdQties><OrgnlAndCurFaceAmt><FaceAmt>12000</FaceAmt><AmtsdVal>9750.5</AmtsdVal></OrgnlAndCurFaceAmt>"
        "</RltdQties>"
        if number >= 3
        else "<RltdQties><Qty><AmtsdVal>9750.5</AmtsdVal></Qty></RltdQties>"
    )
    total = '<Tax><TtlTaxAmt Ccy="EUR">0.38</TtlTaxAmt></Tax>'
    return (
        f"{price}<RltdQties><Qty><Unit>100.25</Unit></Qty></RltdQties>"
        f"<RltdQties><Qty><FaceAmt>10000</FaceAmt></Qty></RltdQties>{original}"
        f"<FinInstrmId>{identification}</FinInstrmId>{total}"
    )


def _return(number: int) -> str:
    code = (
        "<OrgnlBkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>XBCT</SubFmlyCd></Fmly></Domn>"
        "<Prtry><Cd>WIRE</Cd><Issr>JIKO</Issr></Prtry></OrgnlBkTxCd>"
    )
    if number == 1:
        return (
            f"<RtrInf>{code}<RtrOrgtr><Nm>Their bank</Nm></RtrOrgtr><RtrRsn><Cd>AC04</Cd></RtrRsn>"
            "<AddtlRtrRsnInf>closed</AddtlRtrRsnInf><AddtlRtrRsnInf>in May</AddtlRtrRsnInf></RtrInf>"
        )
    return (
        f"<RtrInf>{code}<Orgtr><Nm>Their bank</Nm></Orgtr><Rsn><Cd>AC04</Cd></Rsn>"
        "<AddtlInf>closed</AddtlInf><AddtlInf>in May</AddtlInf></RtrInf>"
    )


def _corporate_action(number: int) -> str:
    if number <= 2:
        return "<CorpActn><Cd>REDM</Cd><Nb>CA-7</Nb></CorpActn>"
    if number <= 12:
        return "<CorpActn><EvtTp>REDM</EvtTp><EvtId>CA-7</EvtId></CorpActn>"
    return (
        "<RltdCorpActn><EvtTp><Cd>REDM</Cd></EvtTp><CorpActnEvtId>CA-7</CorpActnEvtId>"
        "<OffclCorpActnEvtId>OCA-7</OffclCorpActnEvtId></RltdCorpActn>"
    )


def _safekeeping(number: int) -> str:
    kind = "PrtryAcct" if number == 1 else "Othr"
    return (
        f"<SfkpgAcct><Id><{kind}><Id>SAFE-1</Id></{kind}></Id></SfkpgAcct>"
        if number <= 2
        else ("<SfkpgAcct><Id>SAFE-1</Id></SfkpgAcct>")
    )
