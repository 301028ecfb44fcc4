"""Debian's Chromium, headless, to look at a page as a person does, and as a screen reader does."""
import base64
import json
import os

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from procs import ROOT, Failure, wait_for

PHONE, DESK = (360, 780), (1280, 900)

# Of every text that is seen: what it says, its contrast to what is behind it, and how much it needs (WCAG 2.1, 1.4.3).
CONTRASTS = """
const channel = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return {rgb: n.slice(0, 3), a: n.length > 3 ? n[3] : 1}; };
const light = (rgb) => 0.2126 * channel(rgb[0]) + 0.7152 * channel(rgb[1]) + 0.0722 * channel(rgb[2]);
function behind(e) {
    for (; e; e = e.parentElement) {
        const c = parse(getComputedStyle(e).backgroundColor);
        if (c.a === 1) return c.rgb;
        if (c.a !== 0) throw new Error("half transparent: " + e.className);
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
}
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
    if (!text || !e.checkVisibility() || e.closest("caption, .skip")) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize);
    const a = light(parse(style.color).rgb), b = light(behind(e));
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    found.push([text, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), large ? 3 : 4.5]);
}
return found;
"""


def is_gone(element):
    try:
        return not element.tag_name
    except WebDriverException:  # stale, or on its way out
        return True


class Browser:
    """with Browser() as b: b.open(url)"""

    def __init__(self, javascript=True):
        self.javascript = javascript
        self.origin = None

    def __enter__(self):
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for word in ("--headless=new", "--no-sandbox", "--hide-scrollbars", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(word)
        if not self.javascript:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        return self.like(*DESK)

    def __exit__(self, *_):
        self.driver.quit()

    # ---- what it is like -----------------------------------------------------------------------

    def like(self, width, height, scheme="light"):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.width = width
        return self

    def open(self, url):
        self.origin = url.split("/", 3)[0] + "//" + url.split("/", 3)[2]
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(url)
        return self

    def run(self, script, *args):
        return self.driver.execute_script(script, *args)

    # ---- what it shows -------------------------------------------------------------------------

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def press(self, selector):
        """Click what leads to another page, and wait for that."""
        old = self.one("html")
        self.one(selector).click()
        wait_for(lambda: is_gone(old) and self.all("footer"), 10, f"the page that {selector} leads to", 0.05)

    def text(self, selector="body"):
        """What is to be read there, hidden or not; empty when it is not there (any more)."""
        return self.run("const e = document.querySelector(arguments[0]); return e ? e.textContent : ''", selector)

    def wait_text(self, selector, what, timeout=15):
        try:
            return wait_for(lambda: what in self.text(selector) and self.text(selector), timeout, "", 0.05)
        except Failure:
            raise Failure(f"{selector} did not say {what!r} within {timeout} s, but {self.text(selector)!r}") from None

    def shot(self, name):
        """The whole page as a picture, for people."""
        where = os.environ.get("SCREENSHOTS", os.path.join(ROOT, "build", "screenshots"))
        os.makedirs(where, exist_ok=True)
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": self.width, "height": size["height"], "scale": 1}
        data = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        path = os.path.join(where, name + ".png")
        with open(path, "wb") as f:
            f.write(base64.b64decode(data["data"]))
        print(f"\nscreenshot: {path}", end="")

    def contrasts(self):
        return self.run(CONTRASTS)

    def overflow(self):
        """By how many pixels one could scroll sideways."""
        return self.run("const e = document.documentElement; return e.scrollWidth - e.clientWidth")

    def accessible(self):
        """(role, name, properties) of everything that a screen reader would come across, in its order."""
        self.driver.execute_cdp_cmd("Accessibility.enable", {})
        nodes = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        by_id = {n["nodeId"]: n for n in nodes}
        found, left = [], [nodes[0]["nodeId"]]
        while left:
            n = by_id[left.pop()]
            left += reversed(n.get("childIds", ()))
            if not n.get("ignored"):
                found.append((n["role"]["value"], n.get("name", {}).get("value", ""),
                              {p["name"]: p["value"].get("value") for p in n.get("properties", ())}))
        return found

    # ---- what it did ---------------------------------------------------------------------------

    def complaints(self):
        """Errors and warnings of its console since the last open()."""
        return [e["message"] for e in self.driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]

    def requests(self):
        """The URLs that it asked for since the last open()."""
        messages = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
