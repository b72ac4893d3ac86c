// Reveals the keys of a mailed link. The token stands after "#": browsers never send it,
// this page posts it to delivery and to nobody else.
"use strict";

const MESSAGES = {
  404: "This link is not valid. Please open the link in your newest mail.",
  410: "This link has expired or was used up. You can ask for a new one on your order page.",
  429: "Too many tries. Please wait a quarter of an hour and try again.",
};
const LATER = "The key cannot be read right now. It is safe, and this try was not counted: please try again in a moment.";
// Whether it was counted nobody knows here: the answer may be what got lost.
const LOST = "The answer did not arrive. Your key is safe: please check your connection and try again.";

const section = document.getElementById("delivery");
const button = document.getElementById("reveal");
const status = document.getElementById("status");
const token = window.location.hash.slice(1);

function say(text, isProblem) {
  status.textContent = text;
  status.className = isProblem ? "problem" : "";
}

function copyButton(value) {
  const copy = document.createElement("button");
  copy.type = "button";
  copy.textContent = "Copy";
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(value);
    copy.textContent = "Copied";
  });
  return copy;
}

function keyItem(key, number) {
  const item = document.createElement("li");
  if (key.value === undefined) {
    const image = document.createElement("img");
    image.src = `data:${key.type};base64,${key.base64}`;
    image.alt = `Key ${number} as a picture`;
    item.append(image);
  } else {
    const text = document.createElement("code");
    text.textContent = key.value;
    item.append(text);
    // Browsers give pages the clipboard over https and on localhost only.
    if (navigator.clipboard) {
      item.append(copyButton(key.value));
    }
  }
  return item;
}

function show(answer) {
  const list = document.getElementById("keys");
  list.replaceChildren(...answer.keys.map((key, index) => keyItem(key, index + 1)));
  list.hidden = false;
  const left = document.getElementById("left");
  const times = answer.reveals_left === 1 ? "once more" : `${answer.reveals_left} more times`;
  left.textContent = answer.reveals_left > 0 ? `This link can be opened ${times}.` : "This was the last time this link could be opened.";
  left.hidden = false;
  document.getElementById("intro").hidden = true;
  button.hidden = true;
  say("", false);
}

async function reveal() {
  button.disabled = true;
  say("Opening…", false);
  try {
    const answer = await fetch(section.dataset.url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
      referrerPolicy: "no-referrer",
      credentials: "omit",
    });
    if (answer.ok) {
      show(await answer.json());
    } else {
      say(MESSAGES[answer.status] ?? LATER, true);
    }
  } catch {
    say(LOST, true);
  } finally {
    button.disabled = false;
  }
}

if (token) {
  button.hidden = false;
  button.addEventListener("click", reveal);
} else {
  say("Part of the link is missing. Please open it from the mail, or copy it whole.", true);
}
