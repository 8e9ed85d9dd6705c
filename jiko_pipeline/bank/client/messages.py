"""Subscriptions, events and notifications (`client.subscriptions`, `client.events`, `client.notifications`)."""

from datetime import datetime
from uuid import UUID

from jiko_pipeline.bank.client.calling import Caller, due
from jiko_pipeline.bank.client.listed import Listed
from jiko_pipeline.bank.client.models.messages import (
    CreateSubscriptionRequest,
    CustomerNotification,
    Event,
    NotificationStatus,
    Subscription,
    UpdateCustomerNotificationStatus,
    UpdateSubscriptionRequest,
)


class Subscriptions:
    """Webhooks."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def create(self, request: CreateSubscriptionRequest) -> Subscription:
        """Register a webhook; its secret is not shown again."""
        made: Subscription = self._caller.read(
            "subscriptions.create", Subscription, body=due(request, CreateSubscriptionRequest)
        )
        return made

    def list(self, *, limit: int | None = None) -> Listed[Subscription]:
        """Our own webhooks."""
        return Listed(self._caller, "subscriptions.list", Subscription, (), limit)

    def get(self, subscription_id: str | UUID) -> Subscription:
        """One webhook. Raises NotFoundError."""
        found: Subscription = self._caller.read("subscriptions.get", Subscription, subscription_id=subscription_id)
        return found

    def update(self, subscription_id: str | UUID, request: UpdateSubscriptionRequest) -> Subscription:
        """Change a webhook; only what `request` was given changes."""
        changed: Subscription = self._caller.read(
            "subscriptions.update",
            Subscription,
            body=due(request, UpdateSubscriptionRequest),
            subscription_id=subscription_id,
        )
        return changed

    def delete(self, subscription_id: str | UUID) -> None:
        """Remove a webhook."""
        self._caller.read_nothing("subscriptions.delete", subscription_id=subscription_id)


class Events:
    """What happened, and how it was delivered."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self,
        *,
        subscription_id: str | UUID | None = None,
        after: datetime | None = None,
        limit: int | None = None,
    ) -> Listed[Event]:
        """Events after an instant, of one subscription or of all."""
        query = self._caller.query(
            "events.list", {self._caller.contract.events_after: after}, subscription_id=subscription_id
        )
        return Listed(self._caller, "events.list", Event, query, limit)


class Notifications:
    """Notifications to the customer."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self, *, status: NotificationStatus | None = None, limit: int | None = None
    ) -> Listed[CustomerNotification]:
        """All notifications, or those read or unread."""
        query = self._caller.query("notifications.list", status=status)
        return Listed(self._caller, "notifications.list", CustomerNotification, query, limit)

    def get(self, notification_id: str | UUID) -> CustomerNotification:
        """One notification. Raises NotFoundError."""
        found: CustomerNotification = self._caller.read(
            "notifications.get", CustomerNotification, notification_id=notification_id
        )
        return found

    def mark(self, notification_id: str | UUID, request: UpdateCustomerNotificationStatus) -> CustomerNotification:
        """Mark a notification as read or unread."""
        marked: CustomerNotification = self._caller.read(
            "notifications.mark",
            CustomerNotification,
            body=due(request, UpdateCustomerNotificationStatus),
            notification_id=notification_id,
        )
        return marked
