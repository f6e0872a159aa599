"""Ask an engine to look at a source that is not attached, or to try it."""

from __future__ import annotations

from concurrent.futures import TimeoutError as FutureTimeout

from core.connections.book import Draft
from core.connector import Checked, Reject, Report
from core.engine.engine import Engine
from core.errors import ConnectError, WorkerLost

_LOOK = 120.0
_TEST = 30.0
"""Seconds: connectors give up after 15 themselves, and this is for those that do not."""


def inspected(engine: Engine, draft: Draft, alias: str) -> Report:
    """Return what a look at the source found. Raises ConnectError or InvalidInput."""
    attachment = draft.attachment(alias, remote=False)
    try:
        answer = engine.call(
            "inspect",
            _LOOK,
            connector=attachment.connector,
            options=dict(attachment.options),
            alias=alias,
        )
    except FutureTimeout as error:
        raise ConnectError(f"The source did not answer within {_LOOK:g} s.") from error
    report = dict(answer.head["report"])
    report["rejects"] = [Reject(**each) for each in report["rejects"]]
    if report["options"] is not None:
        report["options"] = type(draft.options).model_validate(report["options"])
    tuples = {key: tuple(value) for key, value in report.items() if isinstance(value, list)}
    return Report(**(report | tuples))


def tested(engine: Engine, draft: Draft) -> Checked:
    """Return what a test of the source found. Raises ConnectError or InvalidInput."""
    attachment = draft.attachment("", remote=False)
    try:
        answer = engine.call(
            "test", _TEST, connector=attachment.connector, options=dict(attachment.options)
        )
    except WorkerLost as error:
        raise ConnectError(
            f"There was no answer within {_TEST:g} s.",
            hint="Are host and port right, and does a firewall let this machine through?",
        ) from error
    told = dict(answer.head["checked"])
    facts = tuple((str(name), str(value)) for name, value in told["facts"])
    return Checked(**{**told, "facts": facts, "notes": tuple(told["notes"])})
