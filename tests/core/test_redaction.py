"""Known secrets are taken out of error texts, of every log record, and of tracebacks."""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import subprocess
import sys
import threading
from urllib.parse import quote, quote_plus

import pytest

from core import redaction
from core.cli.outcome import show_unexpected
from core.errors import ConnectError, MillpondError, QueryError
from core.redaction import RedactingFilter, install, know, redact
from core.settings import Settings
from core.store.database import reach
from core.workers.protocol import error_from_json

VALUE = "pä\"ss/w'or+d &1"
PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoI\n-----END KEY-----"


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    """Know these alone, so that no test depends on another."""
    monkeypatch.setattr(redaction, "_known", redaction._Known())
    know(VALUE)
    know(PEM)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user postgres", "user ***"),
        ("postgresql://me:postgres@host", "postgresql://me:***@host"),
        ("PGPASSWORD='postgres'", "PGPASSWORD='***'"),
        ("postgres", "***"),
        ("the postgresql server", "the postgresql server"),
        ("mypostgres", "mypostgres"),
    ],
)
def test_a_short_word_is_found_as_a_word(text, expected):
    know("postgres")
    assert redact(text) == expected


HOOK = "https://chat.example.org/services/T0AB12CD3/k3y-of%20the-hook?wait=true&sig=%C3%A9a8f3k2p9"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HOOK, "***"),
        (f"no hook at {HOOK[24:]}", "no hook at ***"),
        ("no hook at /services/T0AB12CD3/k3y-of%20the-hook", "no hook at ***"),
        # A server that has read it writes it as it is.
        ("no hook k3y-of the-hook", "no hook ***"),
        ('{"hook": "k3y-of%20the-hook", "sig": "éa8f3k2p9"}', '{"hook": "***", "sig": "***"}'),
        ("sig %C3%A9a8f3k2p9", "sig ***"),
        ("T0AB12CD3 is no team", "*** is no team"),
        # What is no key stays readable.
        ("services wait, and chat.example.org says true", None),
    ],
)
def test_the_parts_of_a_secret_web_address_are_found_alone(text, expected):
    know(HOOK)
    assert redact(text) == (expected or text)


@pytest.mark.parametrize(
    ("address", "text", "expected"),
    [
        ("https://example.org/", "GET / HTTP/1.1", None),
        ("https://example.org/hook", "no /hook here, nor /hooks", None),
        ("https://example.org/api/v2/notifications", "there are notifications", None),
        ("https://example.org/api/v2/notifications", "POST /api/v2/notifications", "POST ***"),
        ("postgresql://me:s%2Fcret@db/warehouse_of_all_things", "password s/cret", "password ***"),
        ("postgresql://me:x@db/warehouse_of_all_things", "/warehouse_of_all_things", None),
        ("https://[half/a-very-long-segment-of-it", "a-very-long-segment-of-it", None),
    ],
)
def test_an_everyday_part_of_an_address_is_no_secret(address, text, expected):
    know(address)
    assert redact(text) == (expected or text)


@pytest.fixture
def log():
    """Return a logger of its own with a handler that was added after the redactor, and its text."""
    install()
    logger = logging.getLogger("somebody.elses")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, stream
    logger.removeHandler(handler)
    logger.propagate = True


WRITTEN = {
    "as it is": VALUE,
    "in a URL": quote(VALUE, safe=""),
    "in a path": quote(VALUE),
    "in a query": quote_plus(VALUE),
    "in JSON": json.dumps(VALUE)[1:-1],
    "in JSON as UTF-8": json.dumps(VALUE, ensure_ascii=False)[1:-1],
    "in a repr": repr(VALUE)[1:-1],
    "in a repr of bytes": repr(VALUE.encode())[2:-1],
    "in HTML": html.escape(VALUE),
    "in SQL": VALUE.replace("'", "''"),
    "in base64": base64.b64encode(VALUE.encode()).decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(VALUE.encode()).decode(),
    "a key of many lines": PEM,
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_a_secret_is_found_however_it_is_written(written):
    assert redact(f"before {written} after") == "before *** after"
    assert redact(f"{written}{written}") == "******"


@pytest.mark.parametrize("user", ["a", "ab", "abc"])  # each shifts base64 by another third
def test_a_secret_is_found_within_base64(user):
    header = base64.b64encode(f"{user}:{VALUE}".encode()).decode()
    clean = redact(f"Authorization: Basic {header}")
    assert clean.endswith("***")
    assert base64.b64encode(VALUE.encode()).decode()[4:-4] not in clean


def test_a_line_of_a_key_is_found_alone():
    assert redact("    MIIEvQIBADANBgkqhkiG9w0B\n    x") == "    ***\n    x"


def test_secrets_that_overlap_leave_nothing():
    for value in ("abc-def", "def-ghi", "abc-"):
        know(value)
    assert redact("1 abc-def-ghi 2 abc-x") == "1 *** 2 ***x"


def test_values_of_less_than_four_characters_are_not_looked_for():
    know("abc")
    know("")
    assert redact("abc") == "abc"


def test_other_text_stays_as_it_is():
    assert redact("") == ""
    assert redact("pass word") == "pass word"


def test_the_newest_values_are_kept(monkeypatch):
    monkeypatch.setattr(redaction, "_KEPT", 10)
    for number in range(100):
        know(f"value-{number:03}")
        know("often-used")
    assert redact("value-099 value-091 often-used value-000") == "*** *** *** value-000"
    assert len(redaction._known._values) <= 20


def test_threads_may_look_while_others_add():
    failed = []

    def look(name: str) -> None:
        for number in range(200):
            know(f"{name}-{number}-secret")
            if redact(f"<{name}-{number}-secret>") != "<***>":
                failed.append((name, number))

    threads = [threading.Thread(target=look, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_an_error_holds_none():
    error = QueryError(f"cannot reach {VALUE}", hint=f"is {VALUE} right?")
    assert (error.message, error.hint) == ("cannot reach ***", "is *** right?")
    assert str(error) == "cannot reach ***"
    assert "w" not in repr(error).removeprefix("QueryError('cannot reach ")


def test_an_error_from_a_worker_holds_none():
    error = error_from_json({"kind": "ConnectError", "message": f"no {VALUE}", "hint": VALUE})
    assert isinstance(error, ConnectError)
    assert (error.message, error.hint) == ("no ***", "***")


@pytest.mark.parametrize("debug", [True, False])
def test_the_command_line_shows_none(capsys, debug):
    try:
        raise ValueError(VALUE) from KeyError(VALUE)
    except ValueError as error:
        show_unexpected(error, debug=debug)
    told = capsys.readouterr().err
    assert "ValueError: ***" in told
    assert VALUE not in told


LOGGED = {
    "message": lambda log: log.error(VALUE),
    "argument": lambda log: log.error("a %s b", VALUE),
    "named argument": lambda log: log.error("a %(it)s b", {"it": VALUE}),
    "argument of another type": lambda log: log.error("a %s b", ValueError(VALUE)),
    "list": lambda log: log.error("a %r b", [VALUE]),
    "arguments that do not fit": lambda log: log.error("a %d b", VALUE),
    "stack": lambda log: log.error("stack", stack_info=True),  # its line has VALUE by name only
}


@pytest.mark.parametrize("tell", LOGGED.values(), ids=LOGGED)
def test_no_log_record_holds_one(log, tell):
    logger, stream = log
    tell(logger)
    assert stream.getvalue()
    assert VALUE not in stream.getvalue()
    assert repr(VALUE)[1:-1] not in stream.getvalue()


def test_a_logged_traceback_holds_none_in_any_link_of_its_chain(log):
    logger, stream = log
    try:
        try:
            raise KeyError(VALUE)
        except KeyError:
            raise ConnectionError(f"password={VALUE}") from None
    except ConnectionError:
        logger.exception("failed")
    assert "ConnectionError: password=***" in stream.getvalue()
    try:
        raise ValueError("other") from OSError(VALUE)
    except ValueError:
        logger.exception("failed")
    assert "OSError: ***" in stream.getvalue()
    assert VALUE not in stream.getvalue()


def test_arguments_stay_in_their_places_for_who_reads_them(log):
    logger, _ = log
    kept = []
    handler = logging.Handler()
    handler.emit = kept.append
    logger.addHandler(handler)
    logger.error('%s "%s" %d', "127.0.0.1", f"GET /?key={quote_plus(VALUE)}", 200)
    logger.error("other %s", "text")
    logger.removeHandler(handler)
    assert kept[0].args == ("127.0.0.1", "GET /?key=***", 200)
    assert (kept[1].msg, kept[1].args) == ("other %s", ("text",))


def test_extra_fields_are_clean_for_a_handler_that_has_the_filter(log):
    logger, stream = log
    handler = logger.handlers[0]
    handler.setFormatter(logging.Formatter("%(message)s %(url)s"))
    handler.addFilter(RedactingFilter())
    logger.error("it", extra={"url": f"https://{quote(VALUE)}@host"})
    assert stream.getvalue() == "it https://***@host\n"


def test_what_cannot_be_printed_does_not_stop_the_log(log):
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

        __repr__ = __str__

    logger, stream = log
    logger.error("it goes on", extra={"thing": Broken()})
    logger.error("%s", VALUE)
    assert stream.getvalue() == "it goes on\n***\n"


def test_the_password_of_the_store_is_known():
    reach(Settings(store_url="postgresql://me:sesame%20open@127.0.0.1:1/x")).dispose()
    assert redact("sesame open, sesame%20open") == "***, ***"


def test_the_roots_handlers_have_the_filter_once():
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    install()
    install()
    logging.getLogger().removeHandler(handler)
    assert [type(each) for each in handler.filters] == [RedactingFilter]


UNCAUGHT = """
import threading
from core.redaction import install, know
install()
value = "".join(["correct", " horse"])
know(value)

def fail():
    raise ValueError(value)

thread = threading.Thread(target=fail, name="T")
thread.start()
thread.join()
fail()
"""


def test_a_traceback_of_what_nobody_caught_holds_none():
    done = subprocess.run([sys.executable, "-c", UNCAUGHT], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("ValueError: ***") == 2
    assert "Exception in thread T:" in done.stderr
    assert "horse" not in done.stderr


def test_it_is_a_millpond_error_that_is_clean_whatever_its_kind():
    kinds = [MillpondError, *MillpondError.__subclasses__()]
    assert {kind(VALUE).message for kind in kinds} == {"***"}
