/* Keeps the status page current while one looks at it. The page is whole without this. What comes is
   the inside of #live as isari writes it; only what differs is touched, so that focus, selection and
   opened details stay, and a screen reader hears of a verdict when it changes. */
"use strict";
(() => {
	const LATE_MS = 3500; /* isari speaks every second */
	const ASK_MS = 2000;
	const ASKED_BEFORE_STREAM = 5;

	const live = document.getElementById("live");
	const contact = document.getElementById("contact");
	const lost = document.getElementById("lost");
	let heard = Date.now(), manner = "As of ";
	let source = null, streaming = false, asking = false;

	/* ---- the difference ---- */

	function firstClass(node) {
		return ((node.getAttribute && node.getAttribute("class")) || "").split(" ")[0];
	}

	function alike(a, b) {
		return a.nodeName === b.nodeName && (a.id || "") === (b.id || "") && firstClass(a) === firstClass(b);
	}

	/* What a person opened or closed stays so, until it is the newest no more. */
	function changeAttributes(old, fresh) {
		if (old.dataset.newest !== fresh.dataset.newest)
			old.open = fresh.open;
		for (const a of fresh.attributes)
			if (a.name !== "open" && old.getAttribute(a.name) !== a.value)
				old.setAttribute(a.name, a.value);
		for (const a of [...old.attributes])
			if (a.name !== "open" && !fresh.hasAttribute(a.name))
				old.removeAttribute(a.name);
	}

	/* Nothing is moved, which would cost it its focus: what is in between goes. */
	function changeChildren(old, fresh) {
		let at = old.firstChild;
		for (const next of [...fresh.childNodes]) {
			let found = at;
			while (found && !alike(found, next))
				found = found.nextSibling;
			if (!found) {
				old.insertBefore(document.importNode(next, true), at);
				continue;
			}
			while (at !== found) {
				const gone = at;
				at = at.nextSibling;
				gone.remove();
			}
			change(at, next);
			at = at.nextSibling;
		}
		while (at) {
			const gone = at;
			at = at.nextSibling;
			gone.remove();
		}
	}

	function change(old, fresh) {
		if (old.nodeType === Node.ELEMENT_NODE) {
			changeAttributes(old, fresh);
			changeChildren(old, fresh);
		} else if (old.data !== fresh.data) {
			old.data = fresh.data;
		}
	}

	/* ---- what was heard, and when ---- */

	function say(element, text) {
		if (element.textContent !== text)
			element.textContent = text;
	}

	function asOf() {
		const at = live.querySelector("main").dataset.at;
		return at.slice(0, 10) + " " + at.slice(11, 19) + " UTC";
	}

	function age(ms) {
		const s = Math.round(ms / 1000);
		return s < 120 ? s + " s" : Math.floor(s / 60) + " min";
	}

	function look() {
		const silent = Date.now() - heard, late = silent > LATE_MS;
		document.body.classList.toggle("lost", late);
		say(lost, late ? "No contact with isari. What is shown may no longer be true." : "");
		say(contact, late ? "Data is " + age(silent) + " old, of " + asOf() + ". Trying again." : manner + asOf());
		if (late) {
			streaming = false; /* it may be open and yet bring nothing */
			ask();
		}
	}

	function hear(fragment, how) {
		const fresh = document.createElement("div");
		fresh.append(new DOMParser().parseFromString(fragment, "text/html").body);
		const body = fresh.firstChild;
		if (!body.querySelector("main"))
			return;
		changeChildren(live, body);
		heard = Date.now();
		manner = how;
		document.title = live.querySelector("main").dataset.title;
		look();
	}

	/* ---- how it comes: as a stream, else by asking until there is one ---- */

	function stream() {
		if (source)
			source.close();
		source = new EventSource("isari.live");
		source.onmessage = (event) => {
			streaming = true;
			hear(event.data, "Live, as of ");
		};
		source.onerror = () => {
			streaming = false;
			ask();
		};
	}

	async function askOnce() {
		const answer = await fetch(location.href, {cache: "no-store", signal: AbortSignal.timeout(5000)});
		const page = new DOMParser().parseFromString(await answer.text(), "text/html");
		if (answer.ok)
			hear(page.getElementById("live").innerHTML, "As of ");
	}

	async function ask() {
		if (asking)
			return;
		asking = true;
		for (let n = 1; !streaming; n++) {
			await askOnce().catch(() => {}); /* look() says for how long */
			await new Promise((done) => setTimeout(done, ASK_MS));
			if (n % ASKED_BEFORE_STREAM === 0 && !streaming && window.EventSource)
				stream();
		}
		asking = false;
	}

	function begin() {
		if (window.EventSource)
			stream();
		else
			ask();
	}

	if (/[;?&]norefresh/.test(location.href))
		return;
	begin();
	setInterval(look, 500);
	/* A page that was left may be kept for the way back: its stream would take one of the few
	   connections that a browser allows itself. */
	addEventListener("pagehide", () => {
		if (source)
			source.close();
		streaming = false;
	});
	addEventListener("pageshow", (event) => {
		if (event.persisted)
			begin();
	});
})();
