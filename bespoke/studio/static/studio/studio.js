// What pages do beyond HTML: the slider's value, times of this place, an order that is being drawn, a token to copy.
"use strict";

for (const slider of document.querySelectorAll("input[type=range]")) {
  const shown = document.querySelector(`output[for="${slider.id}"]`);
  const show = () => { shown.textContent = Number(slider.value).toFixed(2); };
  slider.addEventListener("input", show);
  show();
}

for (const time of document.querySelectorAll("time")) {
  time.textContent = new Date(time.dateTime).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
}

async function follow(part, pause) {
  await new Promise((resolve) => setTimeout(resolve, pause));
  let next = pause;
  try {
    const answer = await fetch(part.dataset.poll, { credentials: "same-origin", redirect: "error" });
    if (answer.ok) {
      const fresh = document.createElement("template");
      fresh.innerHTML = await answer.text();
      const found = fresh.content.querySelector(".result");
      if (found.innerHTML !== part.innerHTML) {
        part.replaceWith(found);
        part = found;
      }
    }
    next = Math.min(pause * 1.2, 2000);
  } catch {
    next = 4000; // the server may be starting again; the order waits for us
  }
  if (part.dataset.poll) follow(part, next);
}
for (const part of document.querySelectorAll("[data-poll]")) follow(part, 400);

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.classList.add("done");
  });
}
