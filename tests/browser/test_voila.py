"""The app as a local web page: whom it asks, and what is left when it is gone."""

from pathlib import Path

import pytest
from PIL import Image
from sites import WAIT, kernels, wait_until, wait_until_idle

pytestmark = pytest.mark.parametrize("site", ["voila"], indirect=True)


@pytest.fixture
def page(browser):
    page = browser.new_page()
    page.set_default_timeout(WAIT)
    yield page
    page.close()


def test_a_page_asks_no_other_host(site, page):
    asked, refused = set(), set()
    page.on("request", lambda request: asked.add(request.url))
    page.on("requestfailed", lambda r: refused.add(r.url) if r.failure == "csp" else None)
    page.goto(site.url)
    wait_until_idle(page, tiles=5)
    assert len(asked) > 10
    ours = (site.url, "data:", "blob:")
    assert [url for url in asked - refused if not url.startswith(ours)] == []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_a_page_that_is_reloaded_or_left_takes_its_kernel_along(site, page):
    others = kernels(site)
    page.goto(site.url)
    wait_until_idle(page, tiles=5)
    (first,) = kernels(site) - others
    page.reload()
    wait_until_idle(page, tiles=5)
    wait_until(lambda: first not in kernels(site))
    assert len(kernels(site) - others) == 1
    page.goto("about:blank")
    wait_until(lambda: not kernels(site) - others)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_whoever_stays_for_unsaved_photos_keeps_them_and_whoever_leaves_ends_the_kernel(
    site, page, tmp_path
):
    Image.new("RGB", (60, 40), "gold").save(tmp_path / "mine.png")
    others = kernels(site)
    page.goto(site.url)
    wait_until_idle(page, tiles=5)
    with page.expect_file_chooser() as dialog:
        page.get_by_role("button", name="Choose photos").click()
    dialog.value.set_files(tmp_path / "mine.png")
    page.locator(".u2-unsaved").wait_for()
    leave = "void setTimeout(() => location.assign('about:blank'), 100)"
    page.once("dialog", lambda question: question.dismiss())
    with page.expect_event("dialog"):
        page.evaluate(leave)
    page.get_by_role("button", name="Blur", exact=True).click()
    page.locator(".u2-title", has_text="Blur the background").wait_for()  # so the kernel says
    page.once("dialog", lambda question: question.accept())
    page.evaluate(leave)
    page.wait_for_url("about:blank")
    wait_until(lambda: not kernels(site) - others)
