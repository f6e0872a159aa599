"""Sessions with Spark Connect: opened for one question, and what each is asked.

One session for each question: its settings and views are nobody else's, and to stop what runs in
it stops nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from connectors._servers import reach
from connectors._spark_errors import asking, explained
from connectors._spark_options import SparkOptions
from connectors._spark_protocol import protocol
from connectors._spark_text import quoted, statements

if TYPE_CHECKING:
    import grpc
    import pyarrow as pa

_LARGEST = 128 * 2**20
"""Bytes of a message, as Spark's own client has it."""


class Session:
    """A session on an open channel. What goes wrong is an RpcError of gRPC's."""

    def __init__(self, channel: grpc.Channel, options: SparkOptions) -> None:
        messages, service = protocol()
        self._messages = messages
        self._stub = service.SparkConnectServiceStub(channel)
        self._seconds = options.connect_timeout
        token = options.token.get_secret_value()
        self._metadata = [("authorization", f"Bearer {token}")] if token else []
        self._who = {
            "session_id": str(uuid4()),
            "user_context": messages.UserContext(user_id=options.user),
            "client_type": "millpond",
        }
        self._calls: list[grpc.Call] = []

    def version(self) -> str:
        """Return the server's version."""
        ask = self._messages.AnalyzePlanRequest
        answer = self._answered(
            self._stub.AnalyzePlan, ask(**self._who, spark_version=ask.SparkVersion())
        )
        return str(answer.spark_version.version)

    def run(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Run a statement; its rows come as they arrive, in one batch at least."""
        import pyarrow as pa

        for answer in self._execute(self._plan(sql)):
            if answer.HasField("arrow_batch"):
                with pa.ipc.open_stream(answer.arrow_batch.data) as stream:
                    yield from stream

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Run a statement that gives a few rows."""
        return [row for batch in self.run(sql) for row in batch.to_pylist()]

    def stop(self) -> None:
        """Interrupt at the server all that runs in this session; from any thread."""
        ask = self._messages.InterruptRequest
        kind = ask.INTERRUPT_TYPE_ALL
        with suppress(Exception):  # it may have ended meanwhile, or the server is away
            self._answered(self._stub.Interrupt, ask(**self._who, interrupt_type=kind))
        for call in [*self._calls]:
            call.cancel()

    def release(self) -> None:
        """End it at the server, as far as that is there."""
        ask = self._messages.ReleaseSessionRequest
        with suppress(Exception):
            self._answered(self._stub.ReleaseSession, ask(**self._who))

    def _plan(self, sql: str) -> Any:
        """Let the server do what is a command, at once; return the plan of the rows it gives."""
        plan = self._messages.Plan()
        plan.command.sql_command.input.sql.query = sql
        found = self._messages.Plan()
        for answer in self._execute(plan):
            if answer.HasField("sql_command_result"):
                found.root.CopyFrom(answer.sql_command_result.relation)
        return found

    def _execute(self, plan: Any) -> Iterator[Any]:
        ask = self._messages.ExecutePlanRequest
        request = ask(**self._who, plan=plan, operation_id=str(uuid4()))
        call = self._stub.ExecutePlan(request, metadata=self._metadata)
        self._calls.append(call)
        try:
            yield from call
        finally:
            call.cancel()
            self._calls.remove(call)

    def _answered(self, method: Any, request: Any) -> Any:
        return method(request, timeout=self._seconds, metadata=self._metadata)


@contextmanager
def connected(options: SparkOptions) -> Iterator[Session]:
    """Open a session. Raises ConnectError, ConfigError where the client is not installed."""
    protocol()
    reach(options)
    with _channel(options) as channel:
        session = Session(channel, options)
        try:
            with explained(options):
                if options.database:
                    session.rows(f"USE {quoted(*options.database.split('.'))}")
            for each in statements(options.prepare):
                with asking(each, options):
                    session.rows(each)
            yield session
        finally:
            session.release()


@contextmanager
def _channel(options: SparkOptions) -> Iterator[grpc.Channel]:
    import grpc

    limits = [("grpc.max_send_message_length", _LARGEST)]
    limits += [("grpc.max_receive_message_length", _LARGEST)]
    if options.tls == "require":
        authority = options.tls_authority.encode() or None
        known = grpc.ssl_channel_credentials(root_certificates=authority)
        opened = grpc.secure_channel(options.address, known, options=limits)
    else:
        opened = grpc.insecure_channel(options.address, options=limits)
    with opened as channel:
        with explained(options):  # gRPC itself would try for ever
            grpc.channel_ready_future(channel).result(timeout=options.connect_timeout)
        yield channel
