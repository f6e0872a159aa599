"""How a test draws a page by Streamlit's own test runner, and reads it."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def draw(name: str, **query_params: str) -> AppTest:
    """Draw one page, and check that it did not raise."""

    def script(name: str) -> None:
        import importlib

        importlib.import_module(f"pages.{name}").render()

    app = AppTest.from_function(script, kwargs={"name": name}, default_timeout=60)
    app.query_params.update(query_params)
    return checked(app.run())


def checked(app: AppTest) -> AppTest:
    assert [each.value for each in app.exception] == []
    return app


def words(app: AppTest) -> str:
    """Return all that the page says in elements of text."""
    kinds = (app.title, app.markdown, app.caption, app.error, app.info, app.warning, app.success)
    return "\n".join(element.value for kind in kinds for element in kind)
