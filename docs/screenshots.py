"""Take the pictures of the docs: `uv run python docs/screenshots.py [name ...]`.

It copies the program to a fresh folder, so that neither data nor settings of this machine are in
a picture, starts the real app there, drives Chromium, and writes docs/images/*.png. It is no test:
it looks at nothing, somebody has to.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

FOLDER = Path(tempfile.gettempdir()) / "millpond"
"""Where the program runs meanwhile; its path is in some pictures."""

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
PROGRAM = ("app.py", "core", "connectors", "pages", "sample_data", ".streamlit", "pyproject.toml")
SIZE: ViewportSize = {"width": 1280, "height": 800}
LARGEST = 150_000
"""Bytes of one picture."""

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]

LATE = """\
SELECT airlines.name AS airline,
       count(*) AS flights,
       round(avg(arr_delay), 1) AS mean_delay,
       round(100 * avg((arr_delay > 15)::INT), 1) AS percent_late
FROM flights
JOIN aviation.airlines USING (carrier)
WHERE origin = $origin AND arr_delay IS NOT NULL
GROUP BY ALL
ORDER BY percent_late DESC"""

DELAYS = """\
SELECT month, day, carrier, tailnum, origin, dest, dep_delay, arr_delay, distance, time_hour
FROM flights
WHERE dep_delay IS NOT NULL"""

WEEKS = """\
SELECT date_trunc('week', time_hour)::DATE AS week, origin, round(avg(dep_delay), 1) AS mean_delay
FROM flights
GROUP BY ALL"""

COMPARED = """\
CREATE SCHEMA old_shop;
CREATE TABLE old_shop.orders (id INTEGER PRIMARY KEY, colour VARCHAR, pieces INTEGER, note VARCHAR);
CREATE TABLE old_shop.bills (id INTEGER, total DECIMAL(10, 2), paid BOOLEAN);
CREATE TABLE old_shop.customers (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL);
CREATE SCHEMA new_shop;
CREATE TABLE new_shop.orders (id INTEGER PRIMARY KEY, color VARCHAR,
                              pieces BIGINT NOT NULL DEFAULT 1, shipped DATE);
CREATE TABLE new_shop.invoices (id INTEGER, total DECIMAL(10, 2), paid BOOLEAN);
CREATE TABLE new_shop.payments (id INTEGER PRIMARY KEY, invoice INTEGER);
CREATE TABLE new_shop.customers (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL);
CREATE INDEX by_color ON new_shop.orders (color)"""

WRONG = """\
SELECT carrier, count(*) AS flights, avg(arr_dely) AS mean_delay
FROM flights
GROUP BY carrier"""

LONG = """\
SELECT a.carrier, count(*) AS pairs
FROM flights AS a, flights AS b
WHERE a.arr_delay > b.arr_delay
GROUP BY ALL"""

BAD_ROWS = {
    310: "310,2024-03-08,Old Town Press,20,310.00,paid",
    20_600: "20600,2024-11-02,North Quay Cafe,8,n/a",
    20_710: "20710,2024-11-04,Mill Lane Bakery,six,58.20",
}
"""By line; the last two lie beyond the rows that decide on the types."""


@contextmanager
def millpond() -> Iterator[str]:
    """Run the app on a data folder of its own, and yield its address."""
    for name in PROGRAM:
        source = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        if source.is_dir():
            shutil.copytree(source, FOLDER / name, ignore=ignored)
        else:
            shutil.copy2(source, FOLDER / name)
    _write_deliveries()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MILLPOND_")}
    environment |= {"MILLPOND_HOME": str(FOLDER / ".millpond"), "PYTHONPATH": str(FOLDER)}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    app = subprocess.Popen([*command, "--server.port", str(port)], cwd=FOLDER, env=environment)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/api/v1/health", app)
        yield address
    finally:
        app.terminate()
        try:
            app.wait(15)
        except subprocess.TimeoutExpired:
            app.kill()
            app.wait()


def _write_deliveries() -> None:
    (FOLDER / "data").mkdir()
    lines = ["id,day,customer,pieces,price"]
    for at in range(2, 21_001):
        line = f"{at},2024-{at % 12 + 1:02}-{at % 28 + 1:02},Harbour Books,{at % 40},{at % 97}.50"
        lines.append(BAD_ROWS.get(at, line))
    (FOLDER / "data" / "deliveries.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _wait_for(address: str, app: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if app.poll() is not None:
            raise SystemExit("The app ended before it answered.")
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The app did not answer within a minute.")


class Camera:
    """A browser tab, and the pictures taken of it."""

    def __init__(self, browser: Browser, address: str, *, dark: bool = False) -> None:
        self.page: Page = browser.new_page(
            viewport=SIZE,
            device_scale_factor=1,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        self._address = address

    def open(self, path: str, **params: str) -> None:
        """Open a page of the app, and wait until it is drawn."""
        self.page.goto(f"{self._address}/{path}?{urlencode(params)}")
        self.settle()

    def query(self, sql: str, **values: str) -> None:
        """Put SQL into a new editor, fill in its parameters, and run all of it."""
        self.open("query", sql=sql)
        self.page.locator(".cm-content").wait_for()
        for name, value in values.items():
            box = self.page.get_by_role("textbox", name=f"${name}")
            box.fill(value)
            box.press("Enter")
            self.settle()
        self.page.get_by_role("button", name="Run all").click()
        self.settle()

    def view(self, name: str) -> None:
        """Choose Rows, Chart, Summary or Plan."""
        self.page.get_by_role("radio", name=name).or_(
            self.page.get_by_role("button", name=name, exact=True)
        ).first.click()
        self.settle()

    def settle(self, seconds: float = 1.2) -> None:
        """Wait for the script's end, and for what the browser still draws."""
        done = "[data-testid=stApp][data-test-script-state=notRunning]"
        self.page.locator(done).wait_for(timeout=60_000)
        self.page.wait_for_timeout(seconds * 1000)

    def take(self, name: str) -> None:
        """Write the picture, in as few colours as keep it below LARGEST."""
        self.page.mouse.move(1279, 799)
        self.page.wait_for_timeout(600)  # a tooltip takes its time to go
        shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        for colours in (256, 128, 64, 32):
            out = io.BytesIO()
            shot.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
            if out.tell() < LARGEST:
                break
        (IMAGES / f"{name}.png").write_bytes(out.getvalue())
        sys.stdout.write(f"{name}.png  {out.tell() // 1000} kB, {colours} colours\n")


def query(camera: Camera) -> None:
    camera.query(LATE, origin="EWR")
    camera.page.locator(".slick-row").first.wait_for()
    camera.take("query")


def completion(camera: Camera) -> None:
    camera.open("query", sql="SELECT flights.carrier,\n       flights.\nFROM flights")
    editor = camera.page.locator(".cm-content")
    editor.click()
    camera.page.keyboard.press("Control+Home")
    camera.page.keyboard.press("ArrowDown")
    camera.page.keyboard.press("End")
    camera.page.keyboard.type("d", delay=50)
    camera.page.locator(".cm-tooltip-autocomplete").wait_for()
    camera.page.wait_for_timeout(800)
    camera.take("completion")


def grid(camera: Camera) -> None:
    camera.query(DELAYS)
    camera.page.locator(".slick-header-column").nth(6).click()
    camera.page.wait_for_timeout(500)
    camera.page.locator(".slick-header-column").nth(6).click()
    camera.page.wait_for_timeout(800)
    camera.page.locator(".mp-filter-button").nth(2).click()
    camera.page.keyboard.type("UA")
    camera.page.wait_for_timeout(300)
    camera.take("grid")


def chart(camera: Camera) -> None:
    camera.query(WEEKS)
    camera.view("Chart")
    camera.settle(3)
    camera.page.locator(".js-plotly-plot").scroll_into_view_if_needed()
    camera.take("chart")


def summary(camera: Camera) -> None:
    camera.query(DELAYS)
    camera.view("Summary")
    camera.settle(3)
    camera.take("summary")


def plan(camera: Camera) -> None:
    camera.query(LATE, origin="EWR")
    camera.view("Plan")
    camera.page.get_by_text("Run it again, and measure each step").click()
    camera.settle(2)
    camera.take("plan")


def error(camera: Camera) -> None:
    camera.query(WRONG)
    camera.page.locator(".cm-lintRange-error").first.wait_for()
    camera.take("error")


def running(camera: Camera) -> None:
    camera.query(LONG)
    camera.page.wait_for_timeout(2500)
    camera.take("running")
    camera.page.get_by_role("button", name="Cancel").click()
    camera.page.wait_for_timeout(3000)


def connections(camera: Camera) -> None:
    camera.open("connections")
    camera.take("connections")


def rejects(camera: Camera) -> None:
    camera.open("connections")
    camera.page.get_by_role("tab", name="A file or folder here").click()
    box = camera.page.get_by_role("textbox", name="Path")
    box.fill(str(FOLDER / "data" / "deliveries.csv"))
    box.press("Enter")
    camera.settle()
    camera.take("adding")
    camera.page.get_by_role("button", name="Add", exact=True).click()
    camera.page.get_by_text("could not be read").wait_for()
    camera.settle()
    camera.take("rejects")


def schema(camera: Camera) -> None:
    camera.open("schema", table="aviation.airports")
    camera.take("schema")


def snapshot(camera: Camera) -> None:
    camera.open("schema", table="aviation.planes")
    camera.view("Snapshot")
    camera.page.get_by_role("combobox", name="How often").click()
    camera.page.get_by_role("option", name="every day").click()
    camera.settle()
    camera.page.get_by_role("button", name="Take a snapshot").click()
    camera.page.get_by_text("as they were").wait_for()
    camera.settle()
    camera.take("snapshot")


def diagram(camera: Camera) -> None:
    camera.open("schema", diagram="aviation")
    camera.page.get_by_text("Inferred relations", exact=True).click()
    camera.page.get_by_text("Dashed lines are inferred").wait_for()
    camera.settle()
    camera.take("diagram")


def compare(camera: Camera) -> None:
    camera.query(COMPARED)
    camera.open("schema", compare="1", left="workspace.old_shop", right="workspace.new_shop")
    box = camera.page.get_by_label("Filter")
    box.fill("orders")
    box.press("Enter")
    camera.settle()
    camera.take("compare")


def profile(camera: Camera) -> None:
    camera.open("schema", table="flights")
    camera.view("Profile")
    camera.page.get_by_text("just now").wait_for()
    camera.settle()
    camera.take("profile")


def history(camera: Camera) -> None:
    camera.open("history")
    camera.take("history")


def jobs(camera: Camera) -> None:
    camera.open("jobs")
    camera.page.get_by_role("button", name="Run now").click()
    camera.page.get_by_text("succeeded").wait_for()
    camera.page.get_by_text("Next runs").click()
    camera.settle()
    camera.take("jobs")


def notifications(camera: Camera) -> None:
    camera.open("notifications")
    filled = {
        "Channel name": "Data team",
        "Server": "mail.example.org",
        "From": "millpond@example.org",
        "To": "ann@example.org, ben@example.org",
    }
    for label, value in filled.items():
        camera.page.get_by_label(label, exact=True).fill(value)
    camera.settle()
    camera.take("notifications")


def home(camera: Camera) -> None:
    camera.open("")
    camera.take("home")


def dark(camera: Camera) -> None:
    camera.query(LATE, origin="JFK")
    camera.take("dark")


SHOTS: tuple[Callable[[Camera], None], ...] = (
    query, completion, grid, chart, summary, plan, error, running, connections, rejects, schema,
    profile, snapshot, diagram, compare, history, jobs, notifications, home, dark,
)  # fmt: skip


def main(names: list[str]) -> None:
    """Take the pictures that are named, or all."""
    IMAGES.mkdir(exist_ok=True)
    FOLDER.mkdir()  # there is none: a picture must not show what another run left
    try:
        with millpond() as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            light, dark = (Camera(browser, address, dark=each) for each in (False, True))
            for shot in SHOTS:
                if not names or shot.__name__ in names:
                    shot(dark if shot.__name__ == "dark" else light)
            browser.close()
    finally:
        shutil.rmtree(FOLDER)


if __name__ == "__main__":
    main(sys.argv[1:])
