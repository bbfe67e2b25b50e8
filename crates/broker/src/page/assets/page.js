// Keeps a page up to date without reloading it, counts down, and copies. The page says all of it without this, too.
(() => {
  "use strict";

  const live = document.getElementById("live");
  const news = document.getElementById("news");
  const trouble = document.getElementById("trouble");
  const MOST = 120;
  let tag = live ? live.dataset.tag : null;
  let again = live ? Number(live.dataset.again) : 0;
  let failures = 0;
  let timer = null;
  let asking = false;

  function say(text) {
    if (news && news.textContent !== text) news.textContent = text;
  }

  // How far apart two moments are, in words.
  function span(seconds) {
    if (seconds < 90) return `${seconds} s`;
    const minutes = Math.round(seconds / 60);
    if (minutes < 90) return `${minutes} min`;
    const hours = Math.round(minutes / 60);
    return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
  }

  function tick() {
    for (const place of document.querySelectorAll("[data-apart]")) {
      const apart = Math.round((Date.parse(place.dataset.apart) - Date.now()) / 1000);
      const text = apart > 0 ? `in ${span(apart)}` : apart > -5 ? "now" : `${span(-apart)} ago`;
      if (place.textContent !== text) place.textContent = text;
    }
  }

  function reveal(root) {
    if (!navigator.clipboard && !document.execCommand) return;
    for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
  }

  // Puts news in place of what is shown, and leaves whoever reads or types where they are.
  function show(markup) {
    const selected = getSelection();
    if (selected && !selected.isCollapsed && live.contains(selected.anchorNode)) return false;
    const focused = document.activeElement && live.contains(document.activeElement) ? document.activeElement.id : "";
    const open = [...live.querySelectorAll("details[open][id]")].map((one) => one.id);
    const before = headline();
    live.innerHTML = markup;
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    reveal(live);
    tick();
    const now = headline();
    if (now !== before) {
      say(now);
      live.querySelector(".hero")?.classList.add("changed");
    }
    return true;
  }

  function headline() {
    const parts = [".hero .badge", "#headline"].map((one) => live.querySelector(one)?.textContent.trim() ?? "");
    return parts.filter(Boolean).join(". ");
  }

  function schedule() {
    clearTimeout(timer);
    const seldom = document.hidden ? 8 : 1;
    const wait = Math.min(again * seldom * 2 ** Math.min(failures, 5), MOST);
    timer = setTimeout(ask, wait * (800 + Math.random() * 400));
  }

  async function ask() {
    if (asking) return;
    asking = true;
    try {
      const headers = tag ? { "If-None-Match": tag } : {};
      const answer = await fetch(live.dataset.part, { headers, cache: "no-store", credentials: "same-origin" });
      if (answer.status === 403) return location.reload();
      if (answer.status !== 200 && answer.status !== 304) throw new Error(String(answer.status));
      again = Number(answer.headers.get("x-again")) || again;
      if (answer.status === 200 && show(await answer.text())) {
        tag = answer.headers.get("etag");
        document.title = `${live.querySelector(".badge")?.textContent.trim()} - ${live.querySelector("h1")?.textContent.trim()}`;
      }
      failures = 0;
    } catch {
      failures += 1;
    } finally {
      asking = false;
    }
    trouble.hidden = failures < 2;
    schedule();
  }

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    try {
      if (!navigator.clipboard) throw new Error("no clipboard");
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      if (!document.execCommand("copy")) return say("It could not be copied. It is selected: copy it by hand.");
      getSelection().removeAllRanges();
    }
    const text = button.querySelector("span");
    text.textContent = "Copied";
    button.classList.add("copied");
    say("Copied");
    setTimeout(() => {
      text.textContent = "Copy";
      button.classList.remove("copied");
    }, 2000);
  }

  async function look(form) {
    const button = form.querySelector("button");
    button.disabled = true;
    button.textContent = "Looking…";
    say("The broker looks.");
    try {
      const body = new URLSearchParams(new FormData(form));
      const answer = await fetch(form.action, { method: "POST", body, headers: { "x-page": "1" }, credentials: "same-origin" });
      if (answer.status === 403) return location.reload();
      say(answer.status === 429 ? "The broker has looked a moment ago. Let it look again in a few seconds." : "The broker has looked.");
      await ask();
    } catch {
      say("The broker cannot be reached.");
    } finally {
      const now = document.getElementById("look-now");
      if (now) {
        now.disabled = false;
        now.textContent = "Look now";
      }
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy]");
    if (button) copy(button);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "look") return;
    event.preventDefault();
    look(event.target);
  });
  document.addEventListener("visibilitychange", () => {
    if (live && !document.hidden) ask();
  });

  reveal(document);
  tick();
  setInterval(tick, 1000);
  if (live) schedule();
})();
