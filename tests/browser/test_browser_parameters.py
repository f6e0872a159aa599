"""Parameters in the browser: without a name, kept with their types, and none where ? is SQL."""

from __future__ import annotations

import re
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import expect

from tests.connectors.servers import postgres_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
def shop(app):
    """Add a PostgreSQL server to the app's connections for one test."""
    with postgres_server() as server, httpx.Client(base_url=f"{app.url}/api/v1") as http:
        given = {"alias": "shop", "connector": "postgres", "options": server.options}
        assert http.post("/connections", json=given, timeout=60).status_code == 201
        yield
        assert http.delete("/connections/shop", timeout=60).status_code == 204


def fill(screen, values: dict[str, str]) -> None:
    for name, value in values.items():
        screen.page.get_by_label(name, exact=True).fill(value)
    screen.page.keyboard.press("Tab")
    screen.settle()


def test_an_operator_of_a_server_is_no_parameter(screen, shop):
    sql = """SELECT '{"a": 1}'::jsonb ? 'a' AS has, 1 AS "sure?", $$?$$ AS mark"""
    screen.open(f"/query?on=shop&sql={quote(sql)}")
    expect(screen.editor).to_contain_text("jsonb")
    expect(screen.page.get_by_label("$1", exact=True)).to_have_count(0)
    screen.button("Run all").click()
    screen.facts("1 row · 3 columns")
    expect(screen.cell(0, 0)).to_have_text("true")
    expect(screen.cell(0, 2)).to_have_text("?")
    screen.shot("operator-on-postgresql")


def test_parameters_without_a_name_are_asked_for_and_bound(screen):
    screen.open("/query")
    screen.write("SELECT ? + $2 AS n, ? AS word")
    fill(screen, {"$1": "40", "$2": "2", "$3": "EWR"})
    screen.shot("positional-parameters")
    screen.button("Run all").click()
    expect(screen.cell(0, 0)).to_have_text("42")
    expect(screen.cell(0, 1)).to_have_text("EWR")


def test_a_saved_query_opens_with_the_types_of_its_values(screen, visit):
    screen.open("/query")
    screen.write("SELECT typeof($code) AS code, $none IS NULL AS none, typeof($n) AS n")
    fill(screen, {"$code": "'007'", "$none": "null", "$n": "12"})
    screen.button("Save").click()
    screen.page.get_by_label("Name", exact=True).fill("Types")
    screen.page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()
    screen.page.wait_for_url(re.compile(r"query=\w+"))
    identity = re.search(r"query=([\w-]+)", screen.page.url)[1]

    other = visit()
    other.open(f"/query?query={identity}")
    expect(other.page.get_by_label("$code", exact=True)).to_have_value("'007'")
    expect(other.page.get_by_label("$none", exact=True)).to_have_value("null")
    other.button("Run all").click()
    expect(other.cell(0, 0)).to_have_text("VARCHAR")
    expect(other.cell(0, 1)).to_have_text("true")
    expect(other.cell(0, 2)).to_have_text("INTEGER")
