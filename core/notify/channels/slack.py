"""Slack, and what takes the same incoming webhooks: Mattermost, Rocket.Chat, Discord's /slack."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from core.channel import Channel, Delivery, Message, Options, Severity
from core.notify.channels._post import Target, checked_url, post, to_json
from core.secret import Secret

_LONGEST_BLOCK = 2900  # Slack takes 3,000 characters
_MOST_FACTS = 10
_MARK: dict[Severity, str] = {
    "info": "",
    "warning": ":warning: ",
    "critical": ":rotating_light: ",
    "over": ":white_check_mark: ",
}


class SlackOptions(Options):
    """Where to post: whoever knows the address may write to the channel."""

    url: Annotated[Secret, AfterValidator(checked_url)] = Field(
        title="Address", description="The incoming webhook's address, as the chat gives it."
    )


class Slack(Channel[SlackOptions]):
    """A channel of a chat."""

    name = "slack"
    label = "Slack, Mattermost"
    icon = "forum"
    help = "Writes into a channel of Slack, Mattermost or another chat with such webhooks."
    Options = SlackOptions

    def place(self, options: SlackOptions) -> str:
        return Target.of(options.url.get_secret_value()).place

    def send(self, message: Message, options: SlackOptions, delivery: Delivery) -> None:
        # Slack shows the blocks and uses the text in alerts; the others show the text.
        body = {"text": _text(message), "blocks": _blocks(message)}
        post(options.url, to_json(body), {}, delivery.network, delivery.seconds)


def escaped(text: str) -> str:
    """Keep a text from being read as a link or as a call for everybody."""
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, written)
    return re.sub(r"@(?=(?:all|channel|everyone|here)\b)", "@\N{WORD JOINER}", text, flags=re.I)


def _text(message: Message) -> str:
    facts = "\n".join(f"*{escaped(name)}:* {escaped(value)}" for name, value in message.facts)
    parts = (_title(message), escaped(message.text), facts, _link(message))
    return "\n".join(part for part in parts if part)


def _blocks(message: Message) -> list[dict[str, Any]]:
    told = "\n".join(part for part in (_title(message), escaped(message.text)) if part)
    blocks: list[dict[str, Any]] = [{"type": "section", "text": _marked(told)}]
    if message.facts:
        fields = [
            _marked(f"*{escaped(name)}*\n{escaped(value)}", 1900)
            for name, value in message.facts[:_MOST_FACTS]
        ]
        blocks.append({"type": "section", "fields": fields})
    # Shown in each reader's own time zone.
    when = f"<!date^{int(message.when.timestamp())}^{{date_short_pretty}} {{time}}|{message.when}>"
    about = " · ".join(part for part in (when, _link(message)) if part)
    return [*blocks, {"type": "context", "elements": [_marked(about)]}]


def _marked(text: str, most: int = _LONGEST_BLOCK) -> dict[str, str]:
    cut = text if len(text) <= most else re.sub(r"&\w*$", "", text[:most]) + "…"
    return {"type": "mrkdwn", "text": cut}


def _title(message: Message) -> str:
    return f"{_MARK[message.severity]}*{escaped(message.headline)}*"


def _link(message: Message) -> str:
    address = escaped(message.link).replace("|", "%7C")
    return f"<{address}|Open>" if address else ""
