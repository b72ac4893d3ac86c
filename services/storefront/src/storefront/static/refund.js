// Shows what is owed back for an order and takes the address to send it to.
import { LOST, ask, complain, fillList, option, post, say, token } from "./order_link.js";

const MESSAGES = {
  404: "This link is not valid (any more). Please open the link in your newest mail, or write to us.",
  409: "This was sent already, or nothing is owed. Please open the page again to see how it stands.",
};
const LATER = "This cannot be read or saved right now. Please try again in a moment.";

const section = document.getElementById("refund");
const form = document.getElementById("form");
const coin = document.getElementById("coin");
const address = document.getElementById("address");
const hint = document.getElementById("hint");
const problem = document.getElementById("address-problem");
const save = document.getElementById("save");
const status = document.getElementById("status");
let coins = [];

function showHint() {
  const chosen = coins.find((known) => known.code === coin.value);
  hint.textContent = chosen ? `On ${chosen.network}. Addresses look like ${chosen.looks_like}.` : "";
}

function show(page) {
  fillList(document.getElementById("refunds"), page.refunds.map((refund) => refund.text));
  if (coins.length === 0) {
    coins = page.coins;
    coin.replaceChildren(...coins.map((known) => option(known.code, `${known.name} on ${known.network}`)));
  }
  if (page.coin) {
    coin.value = page.coin;
    address.value = page.address;
  }
  showHint();
  form.hidden = !page.can_be_changed;
  say(status, page.refunds.length === 0 ? "Nothing of this order is owed back." : "");
}

async function refuse(answer) {
  if (answer.status !== 422) {
    say(status, MESSAGES[answer.status] ?? LATER, true);
    return;
  }
  const { errors = [] } = await answer.json();
  complain(address, problem, errors.length > 0 ? `The ${errors[0].field} ${errors[0].reason}.` : LATER);
}

async function look() {
  try {
    const answer = await ask(section.dataset.url);
    if (answer.ok) {
      show(await answer.json());
    } else {
      say(status, MESSAGES[answer.status] ?? LATER, true);
    }
  } catch {
    say(status, LOST, true);
  }
}

async function give(event) {
  event.preventDefault();
  save.disabled = true;
  complain(address, problem, "");
  say(status, "Saving…");
  try {
    const answer = await post(section.dataset.url, { coin: coin.value, address: address.value });
    if (answer.ok) {
      show(await answer.json());
      say(status, "Saved. You get a mail with the address: please check it there.");
    } else {
      say(status, "");
      await refuse(answer);
    }
  } catch {
    say(status, LOST, true);
  } finally {
    save.disabled = false;
  }
}

if (token) {
  coin.addEventListener("change", showHint);
  form.addEventListener("submit", give);
  look();
} else {
  say(status, "Part of the link is missing. Please open it from the mail, or copy it whole.", true);
}
