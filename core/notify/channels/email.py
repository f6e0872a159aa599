"""E-mail over SMTP: each recipient gets a mail of their own, with their own way out."""

from __future__ import annotations

import base64
import re
import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from core.channel import Channel, Delivery, Message, NotDelivered, Options
from core.network import Security
from core.notify.channels._letter import Letter
from core.redaction import redact
from core.secret import Secret

_USER = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
_DOMAIN = r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)*[^\W_](?:[\w-]{0,61}[^\W_])?"
_EACH = 10.0  # seconds more for each further recipient
_MOST = 100


def _address(text: str) -> str:
    text = text.strip()
    match = re.fullmatch(rf"({_USER})@({_DOMAIN})", text)
    if not match or len(text) > 254:
        raise ValueError(f"{text[:80]!r} is no e-mail address such as ann@example.org")
    return f"{match[1]}@{match[2].encode('idna').decode()}"


def _addresses(given: Any) -> Any:
    parts = re.split(r"[,;\s]+", given) if isinstance(given, str) else given
    return tuple(dict.fromkeys(_address(each) for each in parts if each))


class EmailOptions(Options):
    """The server that sends, and who gets it."""

    host: str = Field(
        title="Server", description="The SMTP server's name.", pattern=r"^[\w.:-]+$", max_length=253
    )
    port: int = Field(587, title="Port", description="587 or 465, as a rule.", ge=1, le=65535)
    security: Security = Field(
        "starttls",
        title="Encryption",
        description="starttls for port 587, tls for 465; none for a listed private host only.",
    )
    user: str = Field("", title="User", description="Empty: no login.", max_length=254)
    password: Secret = Field(Secret(""), title="Password", description="The user's at the server.")
    sender: Annotated[str, AfterValidator(_address)] = Field(
        title="From", description="The address that the mails come from."
    )
    sender_name: str = Field(
        "Millpond", title="Sender name", description="The name beside it.", max_length=80
    )
    recipients: Annotated[tuple[str, ...], BeforeValidator(_addresses)] = Field(
        title="To",
        description="Addresses with commas between them, 100 at most.",
        min_length=1,
        max_length=_MOST,
    )


class Email(Channel[EmailOptions]):
    """People's mailboxes."""

    name = "email"
    label = "E-mail"
    icon = "mail"
    help = "Sends mails through your SMTP server."
    Options = EmailOptions

    def place(self, options: EmailOptions) -> str:
        return f"{', '.join(options.recipients)} through {options.host}"

    def recipients(self, options: EmailOptions) -> tuple[str, ...]:
        return options.recipients

    def send(self, message: Message, options: EmailOptions, delivery: Delivery) -> None:
        seconds = delivery.seconds + _EACH * len(delivery.recipients)
        where = (options.host, options.port)
        with (
            delivery.network.connect(*where, seconds=seconds, security=options.security) as link,
            _refusals(options.host),
            _Server(link, options) as server,
        ):
            server.begin(delivery.network.tls)
            late = [
                each for each in delivery.recipients if not server.deliver(each, message, delivery)
            ]
        if late:
            raise NotDelivered(
                f"{options.host} did not take the mail to {', '.join(late)} yet.",
                hint="It is asked again.",
            )


class _Server(smtplib.SMTP):
    """SMTP over a connection that was made, and checked, elsewhere."""

    def __init__(self, link: socket.socket, options: EmailOptions) -> None:
        self._link, self._options = link, options
        # It would call itself by this machine's name, which is nobody's business.
        domain = options.sender.rpartition("@")[2]
        super().__init__(options.host, options.port, domain, link.gettimeout() or 30)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._link

    def begin(self, tls: Any) -> None:
        """Encrypt if that is still to be done, and log in."""
        if self._options.security == "starttls":
            self.starttls(context=tls)
        if self._options.user:
            self._log_in(self._options.user, self._options.password.get_secret_value())

    def _log_in(self, user: str, password: str) -> None:
        # smtplib's own login knows ASCII only; RFC 4616 says UTF-8.
        self.ehlo_or_helo_if_needed()
        offered = self.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in offered:
            given = _base64("\0".join(["", user, password]))
            code, answer = self.docmd("AUTH", f"PLAIN {given}")
        elif "LOGIN" in offered:
            self.docmd("AUTH", "LOGIN")
            self.docmd(_base64(user))
            code, answer = self.docmd(_base64(password))
        else:
            raise smtplib.SMTPNotSupportedError("a login by PLAIN or LOGIN")
        if code != 235:
            raise smtplib.SMTPAuthenticationError(code, answer)

    def deliver(self, recipient: str, message: Message, delivery: Delivery) -> bool:
        """Send one recipient theirs, and tell; False if the server asks to try again."""
        link = delivery.unsubscribe(recipient)
        options = self._options
        letter = Letter(message, options.sender, options.sender_name, recipient, delivery.id, link)
        try:
            self.sendmail(options.sender, [recipient], letter.written())
        except smtplib.SMTPRecipientsRefused as error:
            return self._refused(recipient, delivery, *error.recipients[recipient])
        except smtplib.SMTPDataError as error:
            return self._refused(recipient, delivery, error.smtp_code, error.smtp_error)
        delivery.tell(recipient, "")
        return True

    def _refused(self, recipient: str, delivery: Delivery, code: int, answer: bytes | str) -> bool:
        if code < 500:
            return False
        delivery.tell(recipient, f"{self._options.host} answered {code}: {_text(answer)}.")
        return True


@contextmanager
def _refusals(host: str) -> Iterator[None]:
    """Say what the server's refusals mean; that the connection broke is the network's to say."""
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise NotDelivered(
            f"{host} refused user and password: {_text(error.smtp_error)}.",
            hint="Enter them anew; some providers want a password made for apps.",
        ) from error
    except smtplib.SMTPResponseException as error:
        raise NotDelivered(
            f"{host} answered {error.smtp_code}: {_text(error.smtp_error)}."
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        raise NotDelivered(
            f"{host} does not offer what is asked of it: {str(error).rstrip('.')}.",
            hint="Choose another encryption, or a port that has it.",
        ) from error


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "replace")).decode()


def _text(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return redact(" ".join(text.split()))[:200].rstrip(".")  # half a secret is not known
