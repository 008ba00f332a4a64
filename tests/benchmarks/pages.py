"""How soon the demo's pages are there: first paint, largest paint, layout shift, weight.

    .venv/bin/python -m tests.benchmarks.pages

In the system's Chromium, each load with an empty cache, on this machine as it is and as a phone on
a slow line (a quarter of the processor, 1.6 Mbit/s, 150 ms there and back). The paints are those of
PerformanceObserver in milliseconds after the navigation began; layout shift is its score without
unit, of which 0.1 is called good; weight is what crossed the line for all files, compressed, with
headers. Caveats: browser and service share the cores; the loopback has no distance.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import Browser, async_playwright

from tests.benchmarks.report import heading, spread, table
from tests.browser.conftest import FLAGS
from tests.serving import serve_both, train
from tests.support import ROOT, require_tool

LOADS = 10

PAGES = {
    "the first page": "/",
    "search results": "/search?q=learning",
    "a paper, what is related and why": "/papers/arXiv:1706.03762",
    "three seeds": "/related?seed=arXiv:1706.03762&seed=arXiv:1810.04805&seed=arXiv:1512.03385",
    "a paper's map": "/map/arXiv:1706.03762",
    "the model": "/model",
}

OBSERVE = """
window.seen = { paint: 0, shift: 0 };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.seen.paint = entry.startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.seen.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""

REPORT = """async () => {
  await new Promise((resolve) => {
    const look = () => (window.seen.paint ? resolve() : requestAnimationFrame(look));
    look();
  });
  const files = [...performance.getEntriesByType("navigation"),
                 ...performance.getEntriesByType("resource")];
  return {
    first: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    largest: window.seen.paint,
    shift: window.seen.shift,
    bytes: files.reduce((sum, file) => sum + file.transferSize, 0),
    requests: files.length,
  };
}"""

SLOW_LINE: Mapping[str, object] = {
    "offline": False,
    "latency": 150,  # milliseconds
    "downloadThroughput": 1_600_000 / 8,  # bytes a second
    "uploadThroughput": 750_000 / 8,
}


class Load(NamedTuple):
    """One load of a page: milliseconds, a score, bytes, a count."""

    first: float
    largest: float
    shift: float
    bytes: float
    requests: float


async def load(browser: Browser, address: str, *, phone: bool) -> Load:
    """Load a page with an empty cache."""
    size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 900}
    context = await browser.new_context(viewport=size, is_mobile=phone)  # type: ignore[arg-type]
    page = await context.new_page()
    if phone:
        session = await context.new_cdp_session(page)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        await session.send("Network.emulateNetworkConditions", dict(SLOW_LINE))
    await page.add_init_script(OBSERVE)
    await page.goto(address, wait_until="networkidle")
    found = await page.evaluate(REPORT)
    await context.close()
    return Load(**found)


async def measure(origin: str) -> None:
    """Print both tables."""
    async with async_playwright() as playwright:
        chromium = require_tool("chromium")
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for phone in (False, True):
            print(f"{'As a phone on a slow line' if phone else 'On this machine'}:\n")
            rows = []
            for name, path in PAGES.items():
                await load(browser, origin + path, phone=phone)
                loads = [await load(browser, origin + path, phone=phone) for _ in range(LOADS)]
                first, largest, shift, weight, requests = zip(*loads, strict=True)
                rows.append(
                    (
                        name,
                        spread(first, "{:.0f}".format),
                        spread(largest, "{:.0f}".format),
                        f"{max(shift):.3f}",
                        f"{max(weight) / 1000:.1f}",
                        f"{max(requests):.0f}",
                    )
                )
            table(["page", "first paint", "largest paint", "shift", "kB", "requests"], rows)
        await browser.close()


def main() -> None:
    """Train the demo's model, serve it, and measure."""
    sample = ROOT / "models" / "sample"
    with tempfile.TemporaryDirectory() as folder:
        events = sample / "interactions.jsonl"
        model = train(sample / "papers.jsonl", output=Path(folder) / "model", interactions=events)
        with serve_both(model, Path(folder) / "data") as addresses:
            heading(f"Pages of the demo, median of {LOADS} loads")
            asyncio.run(measure(addresses.web))


if __name__ == "__main__":
    main()
