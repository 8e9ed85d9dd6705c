"""The client as a person or a program holds it.

Belongs here: the groups in one object. Does not belong here: opening a connection
(`jiko_pipeline.bank.connection`: `connect` for the pipeline's settings, `open_client` without them).
"""

from jiko_pipeline.bank.api import ApiClient
from jiko_pipeline.bank.client.activity import Statements, Trades, Transactions
from jiko_pipeline.bank.client.calling import Caller
from jiko_pipeline.bank.client.customer import Agreements, Customer
from jiko_pipeline.bank.client.messages import Events, Notifications, Subscriptions
from jiko_pipeline.bank.client.people import Team, TeamAudits, User
from jiko_pipeline.bank.client.pockets import Pockets, Portals, TradingStrategies
from jiko_pipeline.bank.client.reports import Reports
from jiko_pipeline.bank.client.transfers import Counterparties, TransferRequests
from jiko_pipeline.bank.contract import Contract
from jiko_pipeline.bank.downloads import DownloadClient


class JikoClient:
    """Every operation of the Customer API as a method: `client.pockets.list()`. Thread-safe.

    Answers are the models of `jiko_pipeline.bank.client.models`, failures the types of
    `jiko_pipeline.bank.errors`. What changes something at the bank is never sent again after an outcome that is
    not known (AmbiguousOutcomeError).
    """

    def __init__(self, api: ApiClient, downloads: DownloadClient, contract: Contract) -> None:
        caller = Caller(api, downloads, contract)
        self.pockets = Pockets(caller)
        self.portals = Portals(caller)
        self.transactions = Transactions(caller)
        self.trading_strategies = TradingStrategies(caller)
        self.trades = Trades(caller)
        self.counterparties = Counterparties(caller)
        self.transfer_requests = TransferRequests(caller)
        self.subscriptions = Subscriptions(caller)
        self.events = Events(caller)
        self.notifications = Notifications(caller)
        self.statements = Statements(caller)
        self.reports = Reports(caller)
        self.user = User(caller)
        self.team = Team(caller)
        self.team_audits = TeamAudits(caller)
        self.customer = Customer(caller)
        self.agreements = Agreements(caller)
