"""Queries that take long: progress, cancel, a reload in between, and a worker that dies."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

# Nobody sees the end of it; the text tells the tests' runs apart.
FOREVER = "SELECT '{}' AS t, sum(a.range * b.range) FROM range(100000000) a, range(100000000) b"


def test_a_long_query_shows_progress_and_cancel_ends_it(screen):
    screen.open("/query")
    screen.run(FOREVER.format("progress"))
    expect(screen.page.get_by_test_id("stProgress")).to_contain_text("Running")
    elapsed = screen.page.get_by_test_id("stProgress").inner_text()
    expect(screen.page.get_by_test_id("stProgress")).not_to_have_text(elapsed)  # it counts on
    screen.shot("running")
    screen.button("Cancel").click()
    expect(screen.error).to_contain_text("cancelled")
    expect(screen.page.get_by_test_id("stProgress")).to_have_count(0)
    screen.run("SELECT 'after' AS cancel")
    expect(screen.cell(0, 0)).to_have_text("after")
    expect(screen.error).to_have_count(0)


def test_a_reload_finds_the_query_running_with_its_text(screen):
    sql = FOREVER.format("reload")
    screen.open("/query")
    screen.run(sql)
    expect(screen.button("Cancel")).to_be_visible()
    screen.page.reload()
    screen.settle()
    expect(screen.page.get_by_test_id("stProgress")).to_contain_text("Running")
    expect(screen.editor).to_have_text(sql)
    screen.button("Cancel").click()
    expect(screen.error).to_contain_text("cancelled")


def test_a_query_that_runs_elsewhere_is_listed_opened_and_cancelled(screen, visit):
    screen.open("/query")
    screen.run(FOREVER.format("elsewhere"))
    expect(screen.button("Cancel")).to_be_visible()
    other = visit()
    other.open("/query")
    other.button("1 running").click()
    expect(other.page.get_by_test_id("stPopoverBody")).to_contain_text("elsewhere")
    other.button("Show").click()
    expect(other.button("Cancel")).to_be_visible()
    expect(other.editor).to_contain_text("'elsewhere'", timeout=5_000)
    other.button("Cancel").click()
    expect(other.error).to_contain_text("cancelled")
    expect(screen.error).to_contain_text("cancelled")


def test_a_running_query_leaves_other_tabs_alone(screen, visit):
    screen.open("/query")
    screen.run(FOREVER.format("two tabs"))
    expect(screen.button("Cancel")).to_be_visible()
    other = visit()
    other.open("/query")
    other.run("SELECT 'quick' AS kind")
    expect(other.cell(0, 0)).to_have_text("quick")
    expect(screen.page.get_by_test_id("stProgress")).to_contain_text("Running")
    screen.button("Cancel").click()
    expect(screen.error).to_contain_text("cancelled")
    expect(other.error).to_have_count(0)


def test_a_killed_worker_gives_one_clear_error_and_the_next_query_works(screen, app):
    screen.open("/query")
    screen.run(FOREVER.format("killed"))
    expect(screen.button("Cancel")).to_be_visible()
    app.busiest_worker().kill()
    expect(screen.error).to_have_count(1)
    expect(screen.error).to_contain_text(re.compile("engine|worker"))
    expect(screen.page.get_by_test_id("stProgress")).to_have_count(0)
    screen.shot("killed")
    screen.run("SELECT count(*) AS n FROM flights")
    expect(screen.cell(0, 0)).to_have_text("336776")
    expect(screen.error).to_have_count(0)
