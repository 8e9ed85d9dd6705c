"""Subscriptions, events and notifications."""

from typing import Annotated, Any

from pydantic import Field, SecretStr, SerializationInfo, field_serializer

from jiko_pipeline.bank.client.models.base import (
    Change,
    DecimalText,
    Flag,
    Identifier,
    Instant,
    Known,
    Model,
    Whole,
)

EventType = Annotated[
    str,
    Known(
        (
            "transfers.wire.out.processing",
            "transfers.wire.out.success",
            "transfers.wire.out.rejected",
            "transfers.wire.in.success",
            "transfers.wire.in.rejected",
            "transfers.on-us.processing",
            "transfers.on-us.success",
            "transfers.on-us.rejected",
            "transfers.on-us.received",
        )
    ),
]
SubscriptionStatus = Annotated[str, Known(("enabled", "disabled"))]
NotificationStatus = Annotated[str, Known(("READ", "UNREAD"))]
SharedSecret = Annotated[SecretStr, Field(min_length=16)]
Url = Annotated[str, Field(min_length=1, max_length=2083)]


class RetryPolicy(Model):
    """When and how often a webhook is delivered again; times in seconds."""

    retry_on_status_codes: tuple[Whole, ...]
    backoff_coefficient: DecimalText
    maximum_attempts: Whole
    initial_interval_seconds: DecimalText
    maximum_interval_seconds: DecimalText

    @field_serializer("backoff_coefficient", "initial_interval_seconds", "maximum_interval_seconds")
    def _as_number(self, value: DecimalText) -> int | float:
        # A JSON number is asked for here; these are no amounts.
        return int(value) if value == value.to_integral_value() else float(value)


def _told_to_the_bank(secret: SecretStr, info: SerializationInfo) -> str:
    """The secret in the body of a request, asterisks in what anybody else dumps."""
    return str(secret) if info.context is None else secret.get_secret_value()


class CreateSubscriptionRequest(Model):
    """A webhook to be registered; `shared_secret` is what its deliveries are signed with."""

    description: str = ""
    events: Annotated[tuple[EventType, ...], Field(min_length=1)]
    url: Url
    retry_policy: RetryPolicy | None = None
    shared_secret: SharedSecret

    @field_serializer("shared_secret")
    def _told(self, value: SecretStr, info: SerializationInfo) -> str:
        return _told_to_the_bank(value, info)


class UpdateSubscriptionRequest(Change):
    """What is to change of a subscription."""

    description: str | None = None
    events: Annotated[tuple[EventType, ...], Field(min_length=1)] | None = None
    url: Url | None = None
    retry_policy: RetryPolicy | None = None
    status: SubscriptionStatus | None = None
    shared_secret: SharedSecret | None = None

    @field_serializer("shared_secret")
    def _told(self, value: SecretStr | None, info: SerializationInfo) -> str | None:
        return None if value is None else _told_to_the_bank(value, info)


class Subscription(Model):
    """A registered webhook."""

    description: str = ""
    events: tuple[EventType, ...]
    url: Url
    retry_policy: RetryPolicy | None = None
    id: Identifier
    time_created: Instant
    updated_at: Instant
    status: SubscriptionStatus
    object_type: str | None = None


class EventDetails(Model):
    """What happened; `payload` depends on the type and names the transfer."""

    event_id: Identifier
    event_type: EventType
    timestamp: Instant
    payload: dict[str, Any]
    customer_id: Identifier | None = None


class DeliveryAttempt(Model):
    """One delivery of an event to a subscription."""

    delivery_attempt_id: Identifier
    subscription_id: Identifier
    success: Flag
    response_code: Whole
    response_message: str | None
    called_at: Instant


class Event(Model):
    """An event and its deliveries."""

    event: EventDetails
    delivery_attempts: tuple[DeliveryAttempt, ...]
    object_type: str | None = None


class CustomerNotification(Model):
    """A notification to the customer."""

    id: Identifier
    title: str
    description: str
    type: str
    status: NotificationStatus | None
    created_at: Instant
    notification_metadata: dict[str, Any] | None = None


class UpdateCustomerNotificationStatus(Change):
    """Whether a notification was read."""

    status: NotificationStatus
