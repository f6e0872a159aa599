"""A page that fails in a way nobody foresaw shows no secret, and nor does the log of it."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from core.redaction import install
from core.secret import Secret


def test_an_error_that_nobody_expected_shows_its_kind_and_no_secret(secret_value, caplog):
    def script(password):
        import streamlit as st

        st.write("Password:", password)
        st.json({"password": str(password)})
        raise RuntimeError(f"password={password.get_secret_value()}")

    install()
    # That no secret is in page and log is looked at behind every test: see tests/secrecy.py.
    app = AppTest.from_function(script, kwargs={"password": Secret(secret_value())}).run()
    [shown] = app.exception
    assert "RuntimeError" in shown.proto.type
    assert "password=" not in shown.value
    assert [each.value for each in app.markdown] == ["Password: `***`"]
    assert "password=***" in caplog.text
