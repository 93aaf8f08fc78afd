// What the page Create does while somebody types: marks words that the model does not know, and draws a strip of previews.
"use strict";

const WORDS_PAUSE = 300, PREVIEW_PAUSE = 700; // milliseconds without a key
const FIRST_RETRY = 1000, LAST_RETRY = 30000; // milliseconds until a studio that is too busy is asked again

const order = document.querySelector("form[data-preview]");
const [text, balance, seed] = ["text", "balance", "seed"].map((name) => order.querySelector(`:is(input, textarea)[name=${name}]`));
const [told, strip, button] = [".words", ".preview", "button.ask"].map((name) => order.querySelector(name));

// Shows a part of this page as the server makes it of what the form holds; nothing where the session is over, or a proxy answers.
async function part(address, signal, show) {
  for (let pause = FIRST_RETRY; ; pause *= 2) {
    const headers = { "X-Part": "1" };
    const answer = await fetch(address, { method: "POST", body: new FormData(order), headers, signal, redirect: "error", credentials: "same-origin" });
    const busy = [429, 503].includes(answer.status);
    if (!busy && ![200, 422].includes(answer.status)) return;
    show(await answer.text());
    if (!busy || pause > LAST_RETRY) return;
    await new Promise((goOn, leave) => {
      setTimeout(goOn, pause);
      signal.addEventListener("abort", () => leave(signal.reason));
    });
  }
}

// Calls `ask` when nothing has been typed for a while; what was asked before is forgotten.
function whenStill(pause, ask) {
  let timer = 0, asked = new AbortController();
  return (at_once) => {
    clearTimeout(timer);
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    timer = setTimeout(() => ask(signal).catch((error) => { if (error.name !== "AbortError" && !signal.aborted) strip.removeAttribute("aria-busy"); }), at_once ? 0 : pause);
  };
}

// Unknown words are underlined where they stand: in a copy of the text that lies under it.
const under = order.querySelector(".under");
text.addEventListener("scroll", () => { under.scrollTop = text.scrollTop; });

const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]/u;

function mark() {
  const words = [...told.querySelectorAll("[data-word]")].map((word) => word.textContent);
  const plain = (word) => word.replace(/[.*+?^${}()|[\]\\\/-]/g, "\\$&");
  const alone = (word) => UNSPACED.test(word) ? plain(word) : `(?<![\\p{L}\\p{N}])${plain(word)}(?![\\p{L}\\p{N}])`;
  under.replaceChildren();
  const pattern = words.length ? new RegExp(`(${words.map(alone).join("|")})`, "giu") : null;
  (pattern ? text.value.split(pattern) : [text.value]).forEach((piece, place) => {
    const shown = document.createElement(place % 2 ? "mark" : "span");
    shown.textContent = piece;
    under.append(shown);
  });
  under.scrollTop = text.scrollTop;
}

function tell(fresh) {
  if (told.innerHTML !== fresh) told.innerHTML = fresh;
  mark();
}

const askWords = whenStill(WORDS_PAUSE, async (signal) => text.value.trim() ? part(order.dataset.words, signal, tell) : tell(""));

function choose() {
  for (const each of strip.querySelectorAll("button.try")) {
    each.type = "button";
    each.setAttribute("aria-pressed", String(Number(each.value) === Number(balance.value)));
  }
  for (const keep of strip.querySelectorAll("[data-seed]")) keep.hidden = seed.value === keep.dataset.seed;
}

const askPreview = whenStill(PREVIEW_PAUSE, async (signal) => {
  if (!text.value.trim()) {
    strip.replaceChildren();
    return;
  }
  strip.setAttribute("aria-busy", "true");
  await part(order.dataset.preview, signal, (fresh) => {
    strip.innerHTML = fresh;
    choose();
  });
  strip.removeAttribute("aria-busy");
});

text.addEventListener("input", () => { mark(); askWords(); askPreview(); });
for (const name of ["model", "seed"]) order.elements[name].addEventListener("change", () => { askWords(); askPreview(); });
balance.addEventListener("input", choose);
button.addEventListener("click", (event) => {
  event.preventDefault();
  askPreview(true);
});
strip.addEventListener("click", (event) => {
  const chosen = event.target.closest("button");
  if (chosen?.classList.contains("try")) {
    balance.value = chosen.value;
    balance.dispatchEvent(new Event("input"));
  } else if (chosen?.dataset.seed) {
    seed.value = chosen.dataset.seed;
    seed.closest("details").open = true;
    choose();
  }
});
order.classList.add("live");
mark();
choose();
const typed = text.value !== text.defaultValue; // while this script was on its way
if (("eager" in order.dataset || typed) && text.value.trim()) {
  askWords(true);
  askPreview(true);
}
