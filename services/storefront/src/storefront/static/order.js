// Shows how an order stands, when its token stands after "#": browsers never send that part,
// this page gives it to orders and to nobody else. Without it the page says what it says.
"use strict";

const section = document.getElementById("order");
const token = window.location.hash.slice(1);

function refundItem(refund) {
  const item = document.createElement("li");
  item.textContent = refund.text;
  return item;
}

function show(page) {
  document.getElementById("status").textContent = page.status_text;
  document.getElementById("intro").hidden = true;
  const list = document.getElementById("refunds");
  list.replaceChildren(...page.refunds.map(refundItem));
  list.hidden = page.refunds.length === 0;
  const link = document.getElementById("refund-link");
  link.href = `${link.dataset.path}#${token}`;
  link.parentElement.hidden = page.refunds.length === 0;
}

async function look() {
  try {
    const answer = await fetch(section.dataset.url, {
      headers: { Authorization: `Bearer ${token}` },
      referrerPolicy: "no-referrer",
      credentials: "omit",
      cache: "no-store",
    });
    if (answer.ok) {
      show(await answer.json());
    } else {
      document.getElementById("status").textContent = "How the order stands cannot be shown right now. What you get by mail is not touched by that.";
    }
  } catch {
    document.getElementById("status").textContent = "The answer did not arrive. Please check your connection and open the page again.";
  }
}

if (token) {
  look();
}
