"""One browser for a file of tests of the page, one show for each test."""
import pytest

from tests.live.surface.rig import CHROMIUM, Page

SIZES = {"laptop": (1280, 800), "phone": (390, 844), "tablet": (1024, 768), "upright": (820, 1180)}


@pytest.fixture
def shown(tmp_path):
    """A show that plays in a thread, with its page."""
    page = Page(tmp_path).run()
    yield page
    page.close()


@pytest.fixture(scope="module")                  # no longer: while it runs, nothing else can run a loop in this thread
def browser():
    sync = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium here")
    with sync.sync_playwright() as p:
        found = p.chromium.launch(executable_path=CHROMIUM, timeout=180000, args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP evil.test 127.0.0.1"])
        yield found
        found.close()


@pytest.fixture
def open_page(browser):
    """open_page(url, size): a page in a context of its own; whatever it complains of fails the test."""
    contexts, faults = [], []

    def opened(url, size="laptop", view="play"):
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True, is_mobile=size == "phone")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(180000)     # of waiting; a busy machine is no fault
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("console", lambda message: faults.append(f"console: {message.text}") if message.type == "error" and "404" not in message.text
                and "WebSocket" not in message.text and "ERR_CONNECTION" not in message.text else None)
        page.on("request", lambda request: None if request.url.startswith((url, url.replace("http", "ws", 1), "blob:", "data:")) else faults.append(f"request: {request.url}"))
        page.add_init_script("document.addEventListener('securitypolicyviolation', (e) => console.error('CSP', e.violatedDirective, e.blockedURI))")
        page.goto(f"{url}#{view}")
        page.wait_for_selector("body:not(.away)")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults
