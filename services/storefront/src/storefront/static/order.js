// Shows how an order stands, when its token stands in the link. Without it the page says what it says.
import { ask, fillList, token } from "./order_link.js";

const AWAY = "How the order stands cannot be shown right now. What you get by mail is not touched by that.";
const LOST = "The answer did not arrive. Please check your connection and open the page again.";

const section = document.getElementById("order");
const status = document.getElementById("status");

function show(page) {
  status.textContent = page.status_text;
  document.getElementById("intro").hidden = true;
  fillList(document.getElementById("refunds"), page.refunds.map((refund) => refund.text));
  const link = document.getElementById("refund-link");
  link.href = `${link.dataset.path}#${token}`;
  link.parentElement.hidden = page.refunds.length === 0;
}

async function look() {
  try {
    const answer = await ask(section.dataset.url);
    if (answer.ok) {
      show(await answer.json());
    } else {
      status.textContent = AWAY;
    }
  } catch {
    status.textContent = LOST;
  }
}

if (token) {
  look();
}
