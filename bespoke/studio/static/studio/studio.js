// What pages do beyond HTML: the slider's value, times of this place, parts that change by themselves, files that are sent, a mask to paint, a token to copy.
"use strict";

for (const shown of document.querySelectorAll("output[for]")) {
  const slider = document.getElementById(shown.htmlFor.value);
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

for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button.main");
    button.disabled = true;
    button.textContent = form.dataset.busy;
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.classList.add("done");
  });
}

for (const button of document.querySelectorAll("[data-tick]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    for (const box of document.querySelectorAll(`input[type=checkbox][name="${button.dataset.tick}"]`)) box.checked = true;
  });
}

// A mask that is painted on the picture to be edited goes with the form as if it had been chosen as a file.
const LARGEST_MASK = 1024; // pixels of its longer side; the server makes it fit

function paint(stage) {
  const [picture, canvas] = [stage.querySelector("img"), stage.querySelector("canvas")];
  const [image, mask] = [document.getElementById(stage.dataset.image), document.getElementById(stage.dataset.mask)];
  const tools = stage.nextElementSibling;
  const [brush, clear, pen] = [tools.querySelector("input"), tools.querySelector("button"), canvas.getContext("2d")];
  const color = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  let last = null;

  const wipe = () => {
    const scale = Math.min(1, LARGEST_MASK / Math.max(picture.naturalWidth, picture.naturalHeight, 1));
    canvas.width = Math.max(1, Math.round(picture.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(picture.naturalHeight * scale));
    mask.value = "";
  };
  const keep = () => {
    const seen = pen.getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < seen.data.length; i += 4) {
      seen.data.fill(seen.data[i + 3], i, i + 3);
      seen.data[i + 3] = 255;
    }
    const sheet = new OffscreenCanvas(canvas.width, canvas.height);
    sheet.getContext("2d").putImageData(seen, 0, 0);
    return sheet.convertToBlob().then((blob) => {
      const files = new DataTransfer();
      files.items.add(new File([blob], "mask.png", { type: "image/png" }));
      mask.files = files.files;
    });
  };
  const recall = () => {
    const painted = new Image();
    painted.onload = () => {
      pen.drawImage(painted, 0, 0, canvas.width, canvas.height);
      const seen = pen.getImageData(0, 0, canvas.width, canvas.height);
      for (let i = 3; i < seen.data.length; i += 4) seen.data[i] = seen.data[i - 1];
      pen.putImageData(seen, 0, 0);
      pen.globalCompositeOperation = "source-in";
      pen.fillStyle = color;
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.globalCompositeOperation = "source-over";
      keep();
    };
    painted.src = stage.dataset.painted;
    delete stage.dataset.painted;
  };
  const show = () => {
    if (!picture.naturalWidth) return;
    stage.hidden = canvas.hidden = tools.hidden = false;
    wipe();
    if (stage.dataset.painted) recall();
  };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
  };
  const draw = (event) => {
    const here = at(event);
    pen.strokeStyle = color;
    pen.lineCap = pen.lineJoin = "round";
    pen.lineWidth = brush.value / 100 * canvas.width;
    pen.beginPath();
    pen.moveTo(...(last ?? here));
    pen.lineTo(...here);
    pen.stroke();
    last = here;
  };

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    draw(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (last) draw(event); });
  let kept = Promise.resolve();
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { last = null; kept = keep(); });
  clear.addEventListener("click", wipe);
  mask.addEventListener("change", () => pen.clearRect(0, 0, canvas.width, canvas.height)); // another one was chosen
  image.addEventListener("change", () => {
    if (!image.files.length) return;
    const reader = new FileReader();
    reader.onload = () => { picture.src = reader.result; };
    reader.readAsDataURL(image.files[0]);
  });
  picture.addEventListener("load", show);
  show();
  image.form.addEventListener("submit", (event) => {
    event.preventDefault();
    kept.then(() => image.form.submit());
  });
}
for (const stage of document.querySelectorAll(".paint")) paint(stage);

for (const here of document.querySelectorAll("nav [aria-current]")) here.scrollIntoView({ block: "nearest", inline: "center" });
