"""`jiko webhooks serve`: run the receiver of the bank's webhooks in this process.

Belongs here: the options of the command and what it tells on standard error. Does not belong here: the receiver
(`jiko_pipeline.webhooks`), which is imported only when it is to run.
"""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from jiko_pipeline.webhooks.receiver import Receipt

webhooks = typer.Typer(name="webhooks", help="The receiver of the bank's webhooks.", no_args_is_help=True)


@webhooks.callback()
def _webhooks() -> None:
    """The receiver of the bank's webhooks."""


@webhooks.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")],
    host: Annotated[str, typer.Option(help="Address to listen on; put a proxy that ends TLS before it.")] = "127.0.0.1",
) -> None:
    """Take signed events at POST /webhooks and keep each once, until it is stopped."""
    from jiko_pipeline.cli.terminal import err
    from jiko_pipeline.settings import load_settings
    from jiko_pipeline.webhooks.inbox import Inbox
    from jiko_pipeline.webhooks.receiver import PATH, application
    from jiko_pipeline.webhooks.receiver import serve as serve_receiver
    from jiko_pipeline.webhooks.signature import load_secret

    settings = load_settings()
    console = err()

    def tell(receipt: "Receipt") -> None:
        event = receipt.event
        what = "" if event is None else f" {event.event_type} {event.event_id}{'' if receipt.is_new else ' again'}"
        console.print(f"{receipt.status}{what}")

    receiver = application(load_secret(settings.webhook_secret_file), Inbox(settings.event_inbox_file), tell)
    serve_receiver(receiver, host, port, lambda taken: console.print(f"Listening on http://{host}:{taken}{PATH}"))
