// Shows what is owed back for an order and takes the address to send it to. The token stands
// after "#": browsers never send it, this page gives it to orders and to nobody else.
"use strict";

const MESSAGES = {
  404: "This link is not valid (any more). Please open the link in your newest mail, or write to us.",
  409: "This was sent already, or nothing is owed. Please open the page again to see how it stands.",
};
const LATER = "This cannot be read or saved right now. Please try again in a moment.";
const LOST = "The answer did not arrive. Please check your connection and try again.";

const section = document.getElementById("refund");
const form = document.getElementById("form");
const coin = document.getElementById("coin");
const address = document.getElementById("address");
const hint = document.getElementById("hint");
const problem = document.getElementById("address-problem");
const save = document.getElementById("save");
const status = document.getElementById("status");
const token = window.location.hash.slice(1);
let coins = [];

function say(text, isProblem) {
  status.textContent = text;
  status.className = isProblem ? "problem" : "";
}

function complain(text) {
  problem.textContent = text;
  problem.hidden = text === "";
  address.setAttribute("aria-invalid", text === "" ? "false" : "true");
}

function showHint() {
  const chosen = coins.find((known) => known.code === coin.value);
  hint.textContent = chosen ? `On ${chosen.network}. Addresses look like ${chosen.looks_like}.` : "";
}

function option(known) {
  const entry = document.createElement("option");
  entry.value = known.code;
  entry.textContent = `${known.name} on ${known.network}`;
  return entry;
}

function refundItem(refund) {
  const item = document.createElement("li");
  item.textContent = refund.text;
  return item;
}

function show(page) {
  const list = document.getElementById("refunds");
  list.replaceChildren(...page.refunds.map(refundItem));
  list.hidden = page.refunds.length === 0;
  if (coins.length === 0) {
    coins = page.coins;
    coin.replaceChildren(...coins.map(option));
  }
  if (page.coin) {
    coin.value = page.coin;
    address.value = page.address;
  }
  showHint();
  form.hidden = !page.can_be_changed;
  say(page.refunds.length === 0 ? "Nothing of this order is owed back." : "", false);
}

function ask(options) {
  return fetch(section.dataset.url, {
    ...options,
    headers: { ...options.headers, Authorization: `Bearer ${token}` },
    referrerPolicy: "no-referrer",
    credentials: "omit",
    cache: "no-store",
  });
}

async function refuse(answer) {
  if (answer.status !== 422) {
    say(MESSAGES[answer.status] ?? LATER, true);
    return;
  }
  const { errors = [] } = await answer.json();
  complain(errors.length > 0 ? `The ${errors[0].field} ${errors[0].reason}.` : LATER);
}

async function look() {
  try {
    const answer = await ask({ method: "GET" });
    if (answer.ok) {
      show(await answer.json());
    } else {
      say(MESSAGES[answer.status] ?? LATER, true);
    }
  } catch {
    say(LOST, true);
  }
}

async function give(event) {
  event.preventDefault();
  save.disabled = true;
  complain("");
  say("Saving…", false);
  try {
    const answer = await ask({
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ coin: coin.value, address: address.value }),
    });
    if (answer.ok) {
      show(await answer.json());
      say("Saved. You get a mail with the address: please check it there.", false);
    } else {
      say("", false);
      await refuse(answer);
    }
  } catch {
    say(LOST, true);
  } finally {
    save.disabled = false;
  }
}

if (token) {
  coin.addEventListener("change", showHint);
  form.addEventListener("submit", give);
  look();
} else {
  say("Part of the link is missing. Please open it from the mail, or copy it whole.", true);
}
