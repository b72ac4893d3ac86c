// Lets a buyer report a key that does not work, and shows what became of it.
import { LOST, ask, complain, fillList, option, post, say, token } from "./order_link.js";

const keys = document.getElementById("bad-keys");
const reportForm = document.getElementById("report-form");
const chosenItem = document.getElementById("item");
const reason = document.getElementById("reason");
const reasonProblem = document.getElementById("reason-problem");
const reportButton = document.getElementById("report");
const reportStatus = document.getElementById("report-status");
const NOT_NOW = "This cannot be read or sent right now. Please try again in a moment.";

function showItems(items) {
  const reported = items.filter((item) => item.case !== null);
  const open = items.filter((item) => item.case === null);
  const told = reported.map((item) => `${item.title}: ${item.case.text}`);
  fillList(document.getElementById("cases"), told);
  chosenItem.replaceChildren(...open.map((item) => option(item.item_id, item.title)));
  reportForm.hidden = open.length === 0;
  keys.hidden = items.length === 0;
}

async function lookAtKeys() {
  try {
    const answer = await ask(`${keys.dataset.url}/bad-keys`);
    if (answer.ok) {
      showItems((await answer.json()).items);
    } else if (answer.status !== 404) {
      keys.hidden = false;
      say(reportStatus, NOT_NOW, true);
    }
  } catch {
    keys.hidden = false;
    say(reportStatus, LOST, true);
  }
}

async function explain(answer) {
  const { detail, errors = [] } = await answer.json();
  if (answer.status === 422) {
    complain(reason, reasonProblem, errors.length > 0 ? `The text ${errors[0].reason}.` : NOT_NOW);
  } else {
    say(reportStatus, answer.status === 409 ? detail : NOT_NOW, true);
  }
}

async function sendReport(event) {
  event.preventDefault();
  reportButton.disabled = true;
  complain(reason, reasonProblem, "");
  say(reportStatus, "Sending…");
  try {
    const answer = await post(`${keys.dataset.url}/items/${chosenItem.value}/report`, { reason: reason.value });
    say(reportStatus, "");
    if (answer.ok) {
      reason.value = "";
      await lookAtKeys();
      say(reportStatus, "We have your report. You get a mail about what comes of it.");
    } else {
      await explain(answer);
    }
  } catch {
    say(reportStatus, LOST, true);
  } finally {
    reportButton.disabled = false;
  }
}

if (token) {
  reportForm.addEventListener("submit", sendReport);
  lookAtKeys();
}
