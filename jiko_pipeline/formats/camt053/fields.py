"""Every field of a statement that is read: name, kind, meaning, and where it stands in each version.

Belongs here: the one declaration that the walk (`paths`), the typed frames (`columns`) and the tables of the
warehouse (`jiko_pipeline.formats.frames`) are made from. Does not belong here: how it is walked, what values
mean together.

A path is a chain of local names below the element of the row; `@Ccy` at its end is the currency attribute.
Where versions differ, a field has several paths; the first that holds text wins. Names are the ISO 20022
business names. Source: the schemas camt.053.001.01 to .14.

Left out, for treasury takes nothing from it: cards and points of sale (CardTx), cash deposits by note (CshDpst),
single records of tax, tax and garnishment in remittance (TaxRmt, GrnshmtRmt), securities in remittance
(SctiesData), related remittance (RltdRmtInf), underlying allocation, copies of instructions, second and third
intermediaries, instructing, instructed and issuing agents, parties, agents, dates, prices and quantities under
proprietary names, totals of charges and interest beside their records, postal addresses beyond the country,
contacts, lines of referred documents, adjustments, account proxies, related accounts, the reporting source. Of
what may repeat without a frame of its own (other identifications, referred documents, proprietary amounts and
references, quantities) the first is read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What the text of a field is."""

    TEXT = auto()
    CURRENCY = auto()
    FLAG = auto()
    DAY = auto()
    MONEY = auto()
    """An amount of money, as written: unsigned, at most two decimals for the warehouse."""
    EXACT = auto()
    """A number that is no amount of money: rates, prices, quantities."""
    COUNT = auto()
    LINES = auto()
    """Text that may repeat: lines in order, joined by a line feed."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a row; `internal` ones are used by the checks and stand in no frame."""

    name: str
    kind: Kind
    comment: str
    paths: tuple[str, ...]
    internal: bool = False


def _text(name: str, comment: str, *paths: str) -> Field:
    return Field(name, Kind.TEXT, comment, paths)


def _money(name: str, comment: str, *paths: str) -> tuple[Field, Field]:
    currency = f"{name.removesuffix('_amount')}_currency" if name != "amount" else "currency"
    return (
        Field(name, Kind.MONEY, f"{comment}, as written and unsigned.", paths),
        Field(currency, Kind.CURRENCY, f"Currency of {name}, ISO 4217.", tuple(f"{path}@Ccy" for path in paths)),
    )


def _coded(name: str, comment: str, *paths: str) -> Field:
    """A code of ISO's lists or a proprietary one."""
    return _text(name, comment, *(end for path in paths for end in (f"{path}/Cd", f"{path}/Prtry/Id", f"{path}/Prtry")))


def _day(name: str, comment: str, path: str) -> tuple[Field, Field]:
    paths = (f"{path}/Dt", f"{path}/DtTm", path)
    return (
        Field(name, Kind.DAY, f"{comment}, the calendar day as written.", paths),
        _text(f"{name}_text", f"{comment} as written.", *paths),
    )


def _bank_transaction_code(path: str, prefix: str = "") -> tuple[Field, ...]:
    return (
        _text(f"{prefix}domain_code", "Bank transaction code: domain.", f"{path}/Domn/Cd"),
        _text(f"{prefix}family_code", "Bank transaction code: family.", f"{path}/Domn/Fmly/Cd"),
        _text(f"{prefix}sub_family_code", "Bank transaction code: sub-family.", f"{path}/Domn/Fmly/SubFmlyCd"),
        _text(f"{prefix}proprietary_code", "Proprietary bank transaction code.", f"{path}/Prtry/Cd", f"{path}/Prtry"),
        _text(f"{prefix}proprietary_issuer", "Issuer of the proprietary code.", f"{path}/Prtry/Issr"),
    )


_AMOUNTS = (
    ("instructed", "Instructed amount", "InstdAmt"),
    ("transaction", "Transaction amount", "TxAmt"),
    ("counter_value", "Counter-value amount", "CntrValAmt"),
    ("announced_posting", "Announced posting amount", "AnncdPstngAmt"),
    ("proprietary", "Proprietary amount", "PrtryAmt"),
)


def _amount_details() -> Iterable[Field]:
    for name, comment, tag in _AMOUNTS:
        yield from _money(f"{name}_amount", comment, f"AmtDtls/{tag}/Amt")
    yield _text("proprietary_amount_type", "Type of the proprietary amount.", "AmtDtls/PrtryAmt/Tp")

    def exchange(end: str) -> tuple[str, ...]:
        return tuple(f"AmtDtls/{tag}/CcyXchg/{end}" for _, _, tag in _AMOUNTS)

    yield _text("exchange_source_currency", "Exchange: source currency.", *exchange("SrcCcy"))
    yield _text("exchange_target_currency", "Exchange: target currency.", *exchange("TrgtCcy"))
    yield _text("exchange_unit_currency", "Exchange: unit currency.", *exchange("UnitCcy"))
    yield Field("exchange_rate", Kind.EXACT, "Exchange: rate.", exchange("XchgRate"))
    yield _text("exchange_rate_base", "Exchange: base of the rate.", *exchange("XchgRateBase"))
    yield _text("exchange_contract", "Exchange: contract.", *exchange("CtrctId"))
    yield _text("exchange_quotation_date", "Exchange: date and time of the quotation as written.", *exchange("QtnDt"))


def _identifications(path: str) -> tuple[str, ...]:
    return (
        f"{path}/Id/OrgId/AnyBIC",
        f"{path}/Id/OrgId/BICOrBEI",
        f"{path}/Id/OrgId/LEI",
        f"{path}/Id/OrgId/Othr/Id",
        f"{path}/Id/OrgId/BIC",
        f"{path}/Id/OrgId/BkPtyId",
        f"{path}/Id/OrgId/PrtryId/Id",
        f"{path}/Id/PrvtId/Othr/Id",
        f"{path}/Id/PrvtId/OthrId/Id",
    )


def _party(name: str, comment: str, tag: str) -> Iterable[Field]:
    old, new = f"RltdPties/{tag}", f"RltdPties/{tag}/Pty"
    yield _text(f"{name}_name", f"Name of the {comment}.", f"{old}/Nm", f"{new}/Nm", f"{old}/Agt/FinInstnId/Nm")
    yield _text(
        f"{name}_identification",
        f"Identification of the {comment} (BIC, LEI or other).",
        *_identifications(old),
        *_identifications(new),
        f"{old}/Agt/FinInstnId/BICFI",
    )
    yield _text(
        f"{name}_country",
        f"Country of the {comment}, ISO 3166.",
        f"{old}/PstlAdr/Ctry",
        f"{new}/PstlAdr/Ctry",
        f"{old}/CtryOfRes",
        f"{new}/CtryOfRes",
    )


def account_paths(path: str) -> tuple[str, ...]:
    """Where an account may be identified."""
    return tuple(f"{path}/{end}" for end in ("Id/IBAN", "Id/Othr/Id", "Id/PrtryAcct/Id", "Id/BBAN", "Id/UPIC"))


def _account(name: str, comment: str, tag: str) -> Field:
    return _text(
        f"{name}_account",
        f"Account of the {comment} (IBAN or other identification).",
        *account_paths(f"RltdPties/{tag}"),
    )


def _agent(name: str, comment: str, tag: str) -> Iterable[Field]:
    path = f"RltdAgts/{tag}/FinInstnId"
    yield _text(f"{name}_bic", f"BIC of the {comment}.", f"{path}/BICFI", f"{path}/BIC", f"{path}/CmbndId/BIC")
    yield _text(f"{name}_name", f"Name of the {comment}.", f"{path}/Nm", f"{path}/NmAndAdr/Nm", f"{path}/CmbndId/Nm")
    yield _text(
        f"{name}_clearing_member",
        f"Clearing system member identification of the {comment}.",
        f"{path}/ClrSysMmbId/MmbId",
        f"{path}/ClrSysMmbId/Id",
        f"{path}/ClrSysMmbId/Prtry",
        f"{path}/CmbndId/ClrSysMmbId/Id",
        f"{path}/CmbndId/ClrSysMmbId/Prtry",
        f"{path}/Othr/Id",
    )


ENTRY: tuple[Field, ...] = (
    _text("entry_reference", "Entry reference.", "NtryRef"),
    _text("account_servicer_reference", "Reference the account servicer gave the entry.", "AcctSvcrRef"),
    *_money("amount", "Amount", "Amt"),
    Field("credit_debit", Kind.TEXT, "CRDT or DBIT.", ("CdtDbtInd",), internal=True),
    Field("is_reversal", Kind.FLAG, "Reversal indicator as written; it never changes the sign.", ("RvslInd",)),
    _text("entry_status", "BOOK, PDNG, INFO or FUTR; null when the entry states none.", "Sts/Cd", "Sts/Prtry", "Sts"),
    *_day("booking_date", "Booking date", "BookgDt"),
    *_day("value_date", "Value date", "ValDt"),
    *_bank_transaction_code("BkTxCd"),
    _text("additional_information", "Additional entry information.", "AddtlNtryInf"),
    Field("commission_waiver", Kind.FLAG, "Commission waiver indicator.", ("ComssnWvrInd",)),
    _text("additional_message_id", "Message that tells more about the entry.", "AddtlInfInd/MsgId"),
    _text("additional_message_name", "Name of the message that tells more.", "AddtlInfInd/MsgNmId"),
    _coded("technical_input_channel", "Channel through which the entry was instructed.", "TechInptChanl"),
    *_amount_details(),
)

DETAIL: tuple[Field, ...] = (
    *_money("amount", "Amount", "Amt"),
    Field("credit_debit", Kind.TEXT, "CRDT or DBIT.", ("CdtDbtInd",), internal=True),
    _text("end_to_end_id", "End-to-end identification.", "Refs/EndToEndId"),
    _text("instruction_id", "Instruction identification.", "Refs/InstrId"),
    _text("transaction_id", "Transaction identification.", "Refs/TxId"),
    _text("uetr", "Unique end-to-end transaction reference.", "Refs/UETR"),
    _text("account_servicer_reference", "Reference the account servicer gave the transaction.", "Refs/AcctSvcrRef"),
    _text("message_reference", "Identification of the message that instructed it.", "Refs/MsgId"),
    _text("payment_information_id", "Payment information identification.", "Refs/PmtInfId"),
    _text("mandate_id", "Mandate identification.", "Refs/MndtId"),
    _text("cheque_number", "Cheque number.", "Refs/ChqNb"),
    _text("clearing_system_reference", "Clearing system reference.", "Refs/ClrSysRef"),
    _text("account_owner_transaction_id", "Transaction id of the account owner.", "Refs/AcctOwnrTxId"),
    _text("account_servicer_transaction_id", "Transaction id of the account servicer.", "Refs/AcctSvcrTxId"),
    _text("market_infrastructure_id", "Transaction id of the market infrastructure.", "Refs/MktInfrstrctrTxId"),
    _text("processing_id", "Processing identification.", "Refs/PrcgId"),
    _text("return_id", "Return identification.", "Refs/RtrId"),
    _text("proprietary_reference", "Proprietary reference.", "Refs/Prtry/Ref"),
    _text("proprietary_reference_type", "Type of the proprietary reference.", "Refs/Prtry/Tp"),
    *_amount_details(),
    *_bank_transaction_code("BkTxCd"),
    *_party("debtor", "debtor", "Dbtr"),
    *_party("creditor", "creditor", "Cdtr"),
    *_party("ultimate_debtor", "ultimate debtor", "UltmtDbtr"),
    *_party("ultimate_creditor", "ultimate creditor", "UltmtCdtr"),
    *_party("initiating_party", "initiating party", "InitgPty"),
    *_party("trading_party", "trading party", "TradgPty"),
    _account("debtor", "debtor", "DbtrAcct"),
    _account("creditor", "creditor", "CdtrAcct"),
    *_agent("debtor_agent", "debtor's agent", "DbtrAgt"),
    *_agent("creditor_agent", "creditor's agent", "CdtrAgt"),
    *_agent("intermediary_agent", "first intermediary agent", "IntrmyAgt1"),
    *_agent("delivering_agent", "delivering agent", "DlvrgAgt"),
    *_agent("receiving_agent", "receiving agent", "RcvgAgt"),
    *_agent("settlement_place", "place of settlement", "SttlmPlc"),
    _coded("local_instrument", "Local instrument.", "LclInstrm", "PmtTpInf/LclInstrm"),
    _coded("service_level", "Service level.", "PmtTpInf/SvcLvl"),
    _coded("category_purpose", "Category purpose.", "PmtTpInf/CtgyPurp"),
    _coded("purpose", "Purpose.", "Purp"),
    Field(
        "remittance_unstructured",
        Kind.LINES,
        "Unstructured remittance lines, joined by a line feed.",
        ("RmtInf/Ustrd",),
    ),
    Field(
        "creditor_references",
        Kind.LINES,
        "References of structured remittance, joined by a line feed; rows in statement_remittance.",
        ("RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/CdtrRefInf/CdtrRef"),
    ),
    _text("acceptance_date_text", "Acceptance date and time as written.", "RltdDts/AccptncDtTm"),
    Field("trade_date", Kind.DAY, "Trade date.", ("RltdDts/TradDt",)),
    Field(
        "contractual_settlement_date", Kind.DAY, "Contractual settlement date.", ("RltdDts/TradActvtyCtrctlSttlmDt",)
    ),
    Field("interbank_settlement_date", Kind.DAY, "Interbank settlement date.", ("RltdDts/IntrBkSttlmDt",)),
    Field("start_date", Kind.DAY, "Start date.", ("RltdDts/StartDt",)),
    Field("end_date", Kind.DAY, "End date.", ("RltdDts/EndDt",)),
    _text("transaction_time_text", "Transaction date and time as written.", "RltdDts/TxDtTm"),
    Field(
        "deal_price",
        Kind.EXACT,
        "Price of the deal.",
        ("RltdPric/DealPric/Val/Amt", "RltdPric/DealPric/Val/Rate", "RltdPric/DealPric", "RltdPric/Prtry/Pric"),
    ),
    Field(
        "deal_price_currency",
        Kind.CURRENCY,
        "Currency of the price of the deal.",
        ("RltdPric/DealPric/Val/Amt@Ccy", "RltdPric/DealPric@Ccy", "RltdPric/Prtry/Pric@Ccy"),
    ),
    _text(
        "deal_price_type",
        "Type of the price of the deal (PERC, PARV, DISC ...), or whether it is a yield.",
        "RltdPric/DealPric/Tp/ValTp",
        "RltdPric/DealPric/Tp/Yldd",
    ),
    Field("quantity_units", Kind.EXACT, "Quantity in units.", ("RltdQties/Qty/Unit", "RltdQties/Qty/DgtlTknUnit")),
    Field(
        "face_amount",
        Kind.EXACT,
        "Quantity as face amount.",
        ("RltdQties/Qty/FaceAmt", "RltdQties/OrgnlAndCurFaceAmt/FaceAmt"),
    ),
    Field(
        "amortised_value",
        Kind.EXACT,
        "Quantity as amortised value.",
        ("RltdQties/Qty/AmtsdVal", "RltdQties/OrgnlAndCurFaceAmt/AmtsdVal"),
    ),
    _text("isin", "ISIN of the security.", "FinInstrmId/ISIN"),
    _text(
        "security_identification",
        "Other identification of the security (CUSIP and its kind).",
        "FinInstrmId/OthrId/Id",
        "FinInstrmId/Prtry/Id",
    ),
    _text(
        "security_identification_type",
        "Type of the other identification.",
        "FinInstrmId/OthrId/Tp/Cd",
        "FinInstrmId/OthrId/Tp/Prtry",
        "FinInstrmId/Prtry/Tp",
    ),
    _text("security_description", "Description of the security.", "FinInstrmId/Desc"),
    _text(
        "safekeeping_account",
        "Safekeeping account.",
        *account_paths("SfkpgAcct"),
        "SfkpgAcct/Id",
    ),
    _text(
        "corporate_action_type",
        "Type of the corporate action.",
        "RltdCorpActn/EvtTp/Cd",
        "RltdCorpActn/EvtTp/Prtry/Id",
        "CorpActn/EvtTp",
        "CorpActn/Cd",
        "CorpActn/Prtry",
    ),
    _text(
        "corporate_action_id",
        "Corporate action event.",
        "RltdCorpActn/CorpActnEvtId",
        "CorpActn/EvtId",
        "CorpActn/Nb",
    ),
    _text("official_corporate_action_id", "Official corporate action event.", "RltdCorpActn/OffclCorpActnEvtId"),
    _coded("return_reason", "Reason of the return.", "RtrInf/Rsn", "RtrInf/RtrRsn"),
    _text("return_originator", "Who returned it.", "RtrInf/Orgtr/Nm", "RtrInf/RtrOrgtr/Nm"),
    Field(
        "return_information",
        Kind.LINES,
        "Additional return information, joined by a line feed.",
        ("RtrInf/AddtlInf", "RtrInf/AddtlRtrRsnInf"),
    ),
    *_bank_transaction_code("RtrInf/OrgnlBkTxCd", "original_"),
    *_money("tax_amount", "Tax in total", "Tax/TtlTaxAmt"),
    _text("additional_information", "Additional transaction information.", "AddtlTxInf"),
)

CHARGE: tuple[Field, ...] = (
    *_money("amount", "Charge", "Amt"),
    Field("credit_debit", Kind.TEXT, "CRDT or DBIT.", ("CdtDbtInd",)),
    Field("is_included", Kind.FLAG, "Whether the entry's amount includes it.", ("ChrgInclInd",)),
    _text("charge_type", "Type of the charge.", "Tp/Cd", "Tp/Prtry/Id", "Tp/Prtry", "Tp/PrtryCd"),
    _text("charge_bearer", "Who bears the charge.", "Br"),
    Field("rate", Kind.EXACT, "Rate.", ("Rate",)),
    _text(
        "agent_bic",
        "BIC of the agent that charges.",
        "Agt/FinInstnId/BICFI",
        "Agt/FinInstnId/BIC",
        "Pty/FinInstnId/BIC",
    ),
    *_money("tax_amount", "Tax", "Tax/Amt"),
)

INTEREST: tuple[Field, ...] = (
    *_money("amount", "Interest", "Amt"),
    Field("credit_debit", Kind.TEXT, "CRDT or DBIT.", ("CdtDbtInd",)),
    _coded("interest_type", "Type of the interest.", "Tp"),
    Field("rate", Kind.EXACT, "Rate in percent.", ("Rate/Tp/Pctg", "Rate/Rate/PctgRate", "Rate")),
    Field("from_date", Kind.DAY, "First day.", ("FrToDt/FrDtTm",)),
    Field("to_date", Kind.DAY, "Last day.", ("FrToDt/ToDtTm",)),
    _text("reason", "Reason.", "Rsn"),
)

AVAILABILITY: tuple[Field, ...] = (
    *_money("amount", "Amount available", "Amt"),
    Field("credit_debit", Kind.TEXT, "CRDT or DBIT.", ("CdtDbtInd",)),
    Field("available_days", Kind.COUNT, "Number of days until it is available.", ("Dt/NbOfDays",)),
    Field("available_date", Kind.DAY, "Date on which it is available.", ("Dt/ActlDt",)),
)

BATCH: tuple[Field, ...] = (
    _text("message_reference", "Identification of the message of the batch.", "MsgId"),
    _text("payment_information_id", "Payment information identification.", "PmtInfId"),
    Field("transactions", Kind.COUNT, "Number of transactions that the batch declares.", ("NbOfTxs",)),
    *_money("total_amount", "Total that the batch declares", "TtlAmt"),
    Field("credit_debit", Kind.TEXT, "CRDT or DBIT.", ("CdtDbtInd",)),
)

REMITTANCE: tuple[Field, ...] = (
    _text("creditor_reference", "Creditor's reference.", "CdtrRefInf/Ref", "CdtrRefInf/CdtrRef"),
    _coded(
        "creditor_reference_type",
        "Type of the creditor's reference.",
        "CdtrRefInf/Tp/CdOrPrtry",
        "CdtrRefInf/CdtrRefTp",
    ),
    _text(
        "creditor_reference_issuer",
        "Issuer of the creditor's reference.",
        "CdtrRefInf/Tp/Issr",
        "CdtrRefInf/CdtrRefTp/Issr",
    ),
    _text("document_number", "Number of the first referred document.", "RfrdDocInf/Nb", "RfrdDocInf/RfrdDocNb"),
    _coded("document_type", "Type of the first referred document.", "RfrdDocInf/Tp/CdOrPrtry", "RfrdDocInf/RfrdDocTp"),
    Field(
        "document_date",
        Kind.DAY,
        "Date of the first referred document.",
        ("RfrdDocInf/RltdDt/Dt", "RfrdDocInf/RltdDt", "RfrdDocRltdDt"),
    ),
    *_money("due_amount", "Amount due", "RfrdDocAmt/DuePyblAmt"),
    *_money("remitted_amount", "Amount remitted", "RfrdDocAmt/RmtdAmt"),
    *_money("credit_note_amount", "Amount of the credit note", "RfrdDocAmt/CdtNoteAmt"),
    *_money("discount_amount", "Discount applied", "RfrdDocAmt/DscntApldAmt/Amt", "RfrdDocAmt/DscntApldAmt"),
    *_money("typed_amount", "First amount with a type, where amounts have one", "RfrdDocAmt/RmtAmtAndTp/Amt"),
    _coded("typed_amount_type", "Type of the typed amount.", "RfrdDocAmt/RmtAmtAndTp/Tp"),
    _text("invoicer_name", "Name of the invoicer.", "Invcr/Nm"),
    _text("invoicee_name", "Name of the invoicee.", "Invcee/Nm"),
    Field("additional_information", Kind.LINES, "Additional remittance information.", ("AddtlRmtInf",)),
)

CREDIT_LINE: tuple[Field, ...] = (
    Field("is_included", Kind.FLAG, "Whether the balance includes it.", ("Incl",)),
    _coded("credit_line_type", "Type of the credit line.", "Tp"),
    *_money("amount", "Credit line", "Amt"),
    Field("credit_line_date", Kind.DAY, "Date.", ("Dt/Dt", "Dt/DtTm")),
)
