"""The status page in a real browser: what it shows of a real switchover as it happens, what it shows without
JavaScript, on a phone, in the dark, to a keyboard and to a screen reader.

SCREENSHOTS: where the pictures go (build/screenshots)."""
import os
import re
import signal
import threading

import pytest
from selenium.webdriver.common.keys import Keys

from browser import DESK, PHONE, Browser
from fake_patroni import FakeCluster
from isari import Isari, config_for
from pgwire import startup
from procs import free_port, wait_for
from waiting import Newcomers

BLOCK = os.environ.get("ISARI_TEST_PAGE_BLOCK", "127.0.65")


class Watched(Isari):
    """isari with its page."""

    def __init__(self, config, admin=False):
        address = f"127.0.0.1:{free_port()}"
        self.page = f"http://{address}/"
        super().__init__(config, stats={"http": address, "http_admin": admin})


@pytest.fixture(scope="module")
def browser():
    with Browser() as b:
        yield b


@pytest.fixture(scope="module")
def plain_browser():
    with Browser(javascript=False) as b:
        yield b


@pytest.fixture
def fake():
    with FakeCluster(BLOCK, 3) as c:
        yield c


@pytest.fixture
def watched(fake):
    """A quiet false cluster, and somebody who may give orders."""
    with Watched(config_for(fake, interval="200ms", timeout="500ms"), admin=True) as i:
        yield i.wait_up("write", fake.nodes[:1]).wait_up("read", fake.nodes[1:])


def switch(fake, old, new, timeline):
    fake.nodes[old].be("replica", timeline=timeline)
    fake.nodes[new].be("primary", timeline=timeline)


def at(b):
    """The moment that the page shows."""
    return b.run("return document.querySelector('main').dataset.at")


def wait_update(b, n=1):
    for _ in range(n):
        before = at(b)
        wait_for(lambda before=before: at(b) != before, 10, "the page to change", 0.05)


def quiet(b):
    """Nothing was asked of anybody else, and the browser has nothing to complain of."""
    asked = b.requests()
    assert asked and all(url.startswith(b.origin + "/") for url in asked), asked
    assert b.complaints() == []


# ---- as it happens ----------------------------------------------------------------------------------


REMEMBER_VERDICTS = """
window.verdicts = [document.querySelector("h2").textContent];
new MutationObserver(() => {
    const now = document.querySelector("h2").textContent;
    if (now !== window.verdicts[window.verdicts.length - 1]) window.verdicts.push(now);
}).observe(document.getElementById("live"), {subtree: true, childList: true, characterData: true, attributes: true});
"""


def waiting_shown(b):
    return int((re.search(r"Waiting(\d+) client", b.text(".facts")) or [0, 0])[1])


def test_a_switchover_is_seen_as_it_happens(cluster, browser):
    """One page, opened once: old primary, clients that wait, new primary, and what it took."""
    old, new = cluster.leader(), cluster.replicas()[0]
    with Watched(config_for(cluster)) as i, i.connect("write"):
        i.wait_up("write", [old])
        browser.like(*DESK).open(i.page)
        browser.wait_text("h2", f"main: {old} is primary")
        browser.wait_text("#contact", "Live, as of ")
        browser.run(REMEMBER_VERDICTS)
        browser.shot("switchover-1-before")
        with Newcomers(i.dsn("write", connect_timeout=30)) as clients:
            wait_for(lambda: clients.answered_by(old), 10, "writes on the old primary")
            with Switching(cluster, new):
                wait_for(lambda: waiting_shown(browser), 30, "the page to show clients that wait", 0.02)
                browser.shot("switchover-2-meanwhile")
            browser.wait_text("h2", f"main: {new} is primary", 30)
            wait_for(lambda: clients.answered_by(new), 30, "writes on the new primary")
            browser.wait_text(".facts", "Waitingnobody", 20)
        newest = browser.wait_text("article", f"{old} \u2192 {new}")
        assert int(re.search(r"Sessions cut(\d+)", newest)[1]) >= 1
        assert int(re.search(r"Clients held(\d+)", newest)[1]) >= 1
        wait_for(lambda: phases(browser).get("last held client released", "-") != "-", 20, "the last phase")
        assert list(phases(browser)) == [
            "last good answer asked", "first doubt", "old primary gone", "new primary's first proof asked",
            "new primary writable", "published", "in force on every worker", "first session on new primary",
            "last held client released"]
        assert all(re.fullmatch(r"-?\d+ ms", ms) for ms in phases(browser).values())
        assert len(browser.all("article:first-of-type rect.moment")) == 9
        assert f"{old} " in browser.text(".facts") and "Before" in browser.text(".facts")
        assert browser.text("#node-" + str(cluster.nodes.index(new)) + " .role") == "primary"
        verdicts = browser.run("return window.verdicts")
        assert verdicts, "the page was loaded again"
        print(f"\nverdicts: {verdicts}", end="")
        assert verdicts[0] == f"OK main: {old} is primary" and verdicts[-1] == f"OK main: {new} is primary"
        assert [v for v in verdicts if not v.startswith("OK ")], "all was said to be well all the while"
        browser.wait_text("#contact", "Live, as of ")
        browser.shot("switchover-3-after")
        browser.like(*PHONE, "dark").shot("switchover-3-after-phone-dark")
        quiet(browser.like(*DESK))


class Switching:
    """A switchover beside what the with block does."""

    def __init__(self, cluster, new):
        self.thread = threading.Thread(target=cluster.switchover, args=(new,), daemon=True)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.thread.join()


def phases(b):
    return dict(b.run("return [...document.querySelectorAll('article:first-of-type .phases tbody tr')]"
                      ".map((r) => [r.cells[0].textContent, r.cells[1].textContent])"))


def test_it_says_when_it_has_lost_contact(watched, browser):
    """A frozen isari says nothing, and nothing on the page is wrong: so the page must say how old it is."""
    browser.like(*DESK).open(watched.page)
    browser.wait_text("#contact", "Live, as of ")
    assert browser.text("#lost") == ""
    watched.p.send_signal(signal.SIGSTOP)
    try:
        browser.wait_text("#lost", "No contact with isari.")
        said = browser.wait_text("#contact", "Data is ")
        assert re.match(r"Data is \d+ s old, of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", said), said
        assert not [c for c in browser.contrasts() if c[1] < c[2]]
        browser.shot("lost-contact")
    finally:
        watched.p.send_signal(signal.SIGCONT)
    browser.wait_text("#contact", "as of ")
    wait_for(lambda: browser.text("#lost") == "", 15, "the warning to go")


def test_where_streams_do_not_get_through_it_asks(fake, watched, browser):
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*isari.live*"]})
    try:
        browser.like(*DESK).open(watched.page)
        wait_update(browser, 2)
        assert browser.text("#contact").startswith("As of ") and browser.text("#lost") == ""
        switch(fake, 0, 1, 2)
        browser.wait_text("h2", "main: n2 is primary")
    finally:
        browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    browser.wait_text("#contact", "Live, as of ", 30)


def test_what_one_reads_stays_where_it_is(fake, watched, browser):
    """Focus, selection and what was opened or closed survive what comes."""
    browser.like(*DESK).open(watched.page)
    browser.wait_text("#contact", "Live, as of ")
    browser.run("""window.kept = document.getElementById("do-1-1-1"); window.kept.focus();
        document.querySelector("article details").open = false;
        getSelection().selectAllChildren(document.querySelector("#node-1 .why"));""")
    switch(fake, 0, 2, 2)
    browser.wait_text("h2", "main: n3 is primary")
    wait_update(browser, 2)
    assert browser.run("return window.kept === document.activeElement && window.kept.isConnected")
    assert browser.run("return getSelection().toString()") == browser.text("#node-1 .why").strip()
    assert browser.run("return document.querySelectorAll('article').length") == 2
    assert browser.run("return [...document.querySelectorAll('article details')].pop().open") is False
    assert browser.driver.title == "main: n3 is primary - isari on " + browser.text(".node-name")[4:]
    quiet(browser)


def test_a_still_page_stays_still(fake, watched, browser):
    browser.like(*DESK).open(watched.page + ";norefresh")
    shown = at(browser)
    switch(fake, 0, 1, 2)
    watched.wait_up("write", fake.nodes[1:2])
    assert "main: n1 is primary" in browser.text("h2") and at(browser) == shown
    assert not [url for url in browser.requests() if "isari.live" in url]


# ---- without JavaScript ----------------------------------------------------------------------------


def test_without_javascript_it_is_whole_and_loads_again(fake, watched, plain_browser):
    plain_browser.open(watched.page)
    shown = plain_browser.one("body").text
    for what in ("main: n1 is primary", "Since", "Why", "Cut", "Waiting", "n1 proves that it is the writable primary",
                 "HTTP 200", "write", "read", "Servers", "UP open", "Failovers", "(start) \u2192 n1", "published",
                 "HAProxy version 2.6.0-isari-"):
        assert what.lower() in shown.lower() or what == "Servers", what
    assert plain_browser.one("#contact").text.startswith("As of 20")
    switch(fake, 0, 1, 2)
    wait_for(lambda: "main: n2 is primary" in plain_browser.driver.page_source.replace("<strong>", ""), 15,
             "the page to be loaded again", 0.2)
    plain_browser.shot("without-javascript")
    assert all(url.startswith(plain_browser.origin) for url in plain_browser.requests())


# ---- orders ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["browser", "plain_browser"])
def test_a_server_is_drained_after_a_question(which, watched, request):
    b = request.getfixturevalue(which)
    b.like(*DESK).open(watched.page)
    b.press("button[aria-label='Drain n2 at read']")
    assert b.one("#order").text == "Drain: n2 at read?"
    assert "which go on" in b.one(".order").text
    assert watched.stat()["read", "n2"]["status"] == "UP", "it was done before it was confirmed"
    b.shot(f"question-{which}")
    b.press("button.sure")
    assert b.one("[role=status]").text.startswith("Action processed successfully.")
    wait_for(lambda: watched.stat()["read", "n2"]["status"] == "DRAIN", 5, "n2 to be drained")
    assert "n2 is drained at read, by an operator." in b.one(".alerts").text
    b.press("button[aria-label='Ready n2 at read']")
    b.press(".order a")  # no, change nothing
    assert not b.all(".order") and watched.stat()["read", "n2"]["status"] == "DRAIN"
    b.press("button[aria-label='Ready n2 at read']")
    b.press("button.sure")
    wait_for(lambda: watched.stat()["read", "n2"]["status"] == "UP", 5, "n2 to be ready")
    quiet(b)


def test_pages_that_were_left_hold_no_connection(watched, browser):
    """A browser has six of them for one server, and keeps pages for the way back."""
    browser.like(*DESK).open(watched.page)
    browser.driver.set_page_load_timeout(5)
    for _ in range(3):
        browser.press("button[aria-label='Maint n2 at read']")
        browser.wait_text("#contact", "Live, as of ")
        browser.press(".order a")
        browser.wait_text("#contact", "Live, as of ")
    wait_update(browser)
    browser.driver.back()
    wait_update(browser)
    browser.wait_text("#contact", "Live, as of ")
    quiet(browser)


# ---- for everybody ---------------------------------------------------------------------------------


def states(fake, watched, b):
    """The page in its moods, each with a name."""
    yield "calm"
    fake.nodes[2].be("replica", mode="hang")
    assert watched.ctl("set", "server", "read/n2", "state", "maint").returncode == 0
    b.wait_text(".alerts", "in maintenance")
    b.wait_text(".alerts", "n3 does not answer on its Patroni port (timeout). Last answer ", 20)
    yield "troubled"
    fake.nodes[0].be("replica", timeline=1)
    b.wait_text("h2", "no primary")
    with watched.dial("write") as client:
        client.sendall(startup())
        b.wait_text(".facts", "1 client, longest")
        yield "alarming"


def settle(b):
    b.wait_text("#contact", "Live, as of ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_there_is_contrast_enough_and_no_scrolling_sideways(fake, watched, browser, scheme):
    browser.like(*PHONE, scheme).open(watched.page)
    settle(browser)
    for state in states(fake, watched, browser):
        for name, size in (("phone", PHONE), ("desk", DESK), ("narrow", (320, 600)), ("tablet", (720, 1000))):
            browser.like(*size, scheme)
            assert browser.overflow() <= 0, (state, name)
            poor = [c for c in browser.contrasts() if c[1] < c[2]]
            assert not poor, (state, name, poor)
            if name in ("phone", "desk"):
                browser.shot(f"{state}-{name}-{scheme}")
    assert len(browser.contrasts()) > 100, "nothing was looked at"


def test_long_names_break_no_layout(browser):
    names = ["n" * 64, "pg-" + "very-long-name-" * 4, "x"]
    with FakeCluster(BLOCK, 3) as c:
        config = config_for(c)
        for member, n, name in zip(config["clusters"]["main"]["members"], c.nodes, names):
            member["name"] = n.rest.name = name[:60]
        with Watched(config, admin=True) as i:
            browser.like(*PHONE).open(i.page)
            settle(browser)
            assert browser.overflow() <= 0
            browser.shot("long-names-phone")


def test_the_keyboard_reaches_everything_in_order(watched, browser):
    browser.like(*DESK).open(watched.page)
    settle(browser)
    browser.run("""window.all = [...document.querySelectorAll("a[href], button, summary")]
        .filter((e) => e.checkVisibility());""")
    n = browser.run("return window.all.length")
    assert n >= 20
    body = browser.one("body")
    for expected in range(n):
        body.send_keys(Keys.TAB) if expected == 0 else browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        found = browser.run("return window.all.indexOf(document.activeElement)")
        assert found == expected, browser.run("return document.activeElement.outerHTML")
        width = browser.run("return getComputedStyle(document.activeElement).outlineWidth")
        assert width == "3px", "one cannot see where the focus is"
    browser.run("window.all[0].focus()")
    browser.shot("skip-link")
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert browser.run("return document.activeElement.id") == "main"


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_screen_reader_finds_its_way(watched, browser, size):
    browser.like(*size).open(watched.page)
    settle(browser)
    tree = browser.accessible()
    by_role = {}
    for role, name, properties in tree:
        by_role.setdefault(role, []).append((name, properties))
    for landmark in ("banner", "main", "contentinfo", "navigation"):
        assert len(by_role.get(landmark, ())) == 1, (landmark, by_role.get(landmark))
    headings = [(p["level"], name) for name, p in by_role["heading"]]
    assert headings[0][0] == 1 and headings[0][1].startswith("isari on ")
    assert headings[1] == (2, "OK main: n1 is primary")
    assert [name.lower() for level, name in headings if level == 3][:5] == [
        "n1 primary", "n2 replica", "n3 replica", "write open", "read open"]
    assert all(b <= a + 1 for (a, _), (b, _) in zip(headings, headings[1:])), headings
    regions = [name for name, _ in by_role["region"]]
    assert regions[0] == "OK main: n1 is primary" and "Failovers" in regions
    tables = [name for name, _ in by_role["table"]]
    assert tables[:2] == ["Servers of write", "Servers of read"] and "Phases, from the beginning" in tables
    assert "n1" in [name for name, _ in by_role["rowheader"]]
    if size == DESK:
        assert "Status" in [name for name, _ in by_role["columnheader"]]
    assert "Nodes of main" in [name for name, _ in by_role["list"]]
    buttons = [name for name, _ in by_role["button"]]
    assert "Drain n1 at write" in buttons and all(name for name in buttons)
    assert all(name for name, _ in by_role["link"])
    assert {(role, name) for role, name, p in tree if p.get("live") == "polite"} == {
        ("heading", "OK main: n1 is primary")}, "only the verdict speaks up"
    assert browser.run("return document.documentElement.lang") == "en"
    assert not [name for name, _ in by_role.get("image", ())], "pictures are for the eye only"
