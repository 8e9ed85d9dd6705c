"""The ways out: a command, a webhook, e-mail. Each takes a notice and returns, or raises DeliveryError.

Belongs here: speaking to the command, the web server and the mail server, with deadlines. Does not belong here: what
is told (`notice`) and what becomes of a failure (`telling`).

The address of a webhook and the password of a mailbox are secrets: each stands in a file of its own, that nobody but
its owner may read, and in no message.
"""

import http.client
import shlex
import smtplib
import ssl
import stat
import subprocess
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from jiko_pipeline.errors import JikoPipelineError, SettingsError
from jiko_pipeline.notifying.notice import Notice
from jiko_pipeline.settings import MailSecurity, Settings

COMMAND_SECONDS: Final = 30.0
_SOCKET_SECONDS: Final = 10.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})

Channel = Callable[[Notice], None]


class DeliveryError(JikoPipelineError):
    """A notice did not get through one way out."""

    means = "The work itself is not affected; the notice is on record."
    remedy = "Correct the JIKO_NOTIFY_* settings; the record names the way that failed."


def channels(settings: Settings) -> dict[str, Channel]:
    """The configured ways out by name; reads no secret yet."""
    found: dict[str, Channel] = {}
    if settings.notify_command:
        command = settings.notify_command
        found["command"] = lambda notice: run_command(command, notice)
    if settings.notify_webhook_file is not None:
        file = settings.notify_webhook_file
        found["webhook"] = lambda notice: post(secret_line(file), notice)
    if settings.notify_mail_to:
        found["mail"] = lambda notice: mail(settings, notice)
    return found


def secret_line(file: Path) -> str:
    """The one line of a file that nobody but its owner may read. Raises SettingsError."""
    try:
        mode = file.stat().st_mode
        content = file.read_text(encoding="utf-8") if stat.S_ISREG(mode) else ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The file {file} cannot be read ({type(error).__name__}).") from None
    if stat.S_IMODE(mode) & 0o077:
        raise SettingsError(f"The file {file} can be read by other users.", remedy=f"Run: chmod 600 {file}")
    line = content.strip()
    if not line or "\n" in line:
        raise SettingsError(f"The file {file} does not hold exactly one line.")
    return line


def run_command(command: str, notice: Notice) -> None:
    """Runs a command, without a shell, with the notice as JSON on its standard input. Raises DeliveryError."""
    try:
        words = shlex.split(command)
        done = subprocess.run(
            words,
            input=notice.to_json(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DeliveryError(f"The command did not end within {COMMAND_SECONDS:.0f} s.") from None
    except (OSError, ValueError) as error:
        raise DeliveryError(f"The command cannot be run ({type(error).__name__}).") from None
    if done.returncode:
        raise DeliveryError(f"The command ended with {done.returncode}.")


def post(address: str, notice: Notice) -> None:
    """Posts the notice as JSON; any answer but 2xx is none. Follows nothing, uses no proxy. Raises DeliveryError."""
    parts = urlsplit(address)
    host = parts.hostname
    if host is None or parts.scheme not in ("https", "http") or (parts.scheme == "http" and host not in _LOOPBACK):
        raise SettingsError("The address of the webhook must be https, or http on loopback.")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(host, parts.port, timeout=_SOCKET_SECONDS)
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    try:
        connection.request("POST", path, notice.to_json(), {"Content-Type": "application/json; charset=utf-8"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        # The message of such an error may name the address.
        raise DeliveryError(f"{host} cannot be posted to ({type(error).__name__}).") from None
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise DeliveryError(f"{host} answered {status}.")


def mail(settings: Settings, notice: Notice) -> None:
    """Sends the notice as plain text to every address of `JIKO_NOTIFY_MAIL_TO`. Raises DeliveryError, SettingsError."""
    password = None if settings.notify_smtp_password_file is None else secret_line(settings.notify_smtp_password_file)
    message = _message(settings, notice)
    host, port = settings.notify_smtp_host, settings.notify_smtp_port
    try:
        if settings.notify_smtp_security is MailSecurity.TLS:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, timeout=_SOCKET_SECONDS, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(host, port, timeout=_SOCKET_SECONDS)
        with server:
            if settings.notify_smtp_security is MailSecurity.STARTTLS:
                server.starttls(context=ssl.create_default_context())
            if settings.notify_smtp_user is not None and password is not None:
                server.login(settings.notify_smtp_user, password)
            refused = server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        # A mail server may repeat what it was sent, the password included.
        raise DeliveryError(f"The mail server {host} did not take the message ({type(error).__name__}).") from None
    if refused:
        raise DeliveryError(
            f"The mail server {host} refused {len(refused)} of {len(settings.notify_mail_to)} addresses."
        )


def _message(settings: Settings, notice: Notice) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = notice.subject
    message["From"] = settings.notify_mail_from
    message["To"] = ", ".join(settings.notify_mail_to)
    message["Date"] = format_datetime(notice.at)
    message["Message-ID"] = make_msgid(domain="jiko-pipeline.invalid")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notice.text)
    return message
