// Lets a buyer report a key that does not work, and shows what became of it. The token stands
// after "#": browsers never send it, this page gives it to orders and to nobody else.
"use strict";

const keys = document.getElementById("bad-keys");
const reportForm = document.getElementById("report-form");
const chosenItem = document.getElementById("item");
const reason = document.getElementById("reason");
const reasonProblem = document.getElementById("reason-problem");
const reportButton = document.getElementById("report");
const reportStatus = document.getElementById("report-status");
const reportToken = window.location.hash.slice(1);
const NOT_NOW = "This cannot be read or sent right now. Please try again in a moment.";
const NO_ANSWER = "The answer did not arrive. Please check your connection and try again.";

function tell(text, isProblem) {
  reportStatus.textContent = text;
  reportStatus.className = isProblem ? "problem" : "";
}

function complainAbout(text) {
  reasonProblem.textContent = text;
  reasonProblem.hidden = text === "";
  reason.setAttribute("aria-invalid", text === "" ? "false" : "true");
}

function askOrders(path, options) {
  return fetch(`${keys.dataset.url}${path}`, {
    ...options,
    headers: { ...options.headers, Authorization: `Bearer ${reportToken}` },
    referrerPolicy: "no-referrer",
    credentials: "omit",
    cache: "no-store",
  });
}

function caseItem(item) {
  const entry = document.createElement("li");
  entry.textContent = `${item.title}: ${item.case.text}`;
  return entry;
}

function itemOption(item) {
  const entry = document.createElement("option");
  entry.value = item.item_id;
  entry.textContent = item.title;
  return entry;
}

function showItems(items) {
  const reported = items.filter((item) => item.case !== null);
  const open = items.filter((item) => item.case === null);
  const list = document.getElementById("cases");
  list.replaceChildren(...reported.map(caseItem));
  list.hidden = reported.length === 0;
  chosenItem.replaceChildren(...open.map(itemOption));
  reportForm.hidden = open.length === 0;
  keys.hidden = items.length === 0;
}

async function lookAtKeys() {
  try {
    const answer = await askOrders("/bad-keys", { method: "GET" });
    if (answer.ok) {
      showItems((await answer.json()).items);
    } else if (answer.status !== 404) {
      keys.hidden = false;
      tell(NOT_NOW, true);
    }
  } catch {
    keys.hidden = false;
    tell(NO_ANSWER, true);
  }
}

async function explain(answer) {
  const { detail, errors = [] } = await answer.json();
  if (answer.status === 422) {
    complainAbout(errors.length > 0 ? `The text ${errors[0].reason}.` : NOT_NOW);
  } else {
    tell(answer.status === 409 ? detail : NOT_NOW, true);
  }
}

async function sendReport(event) {
  event.preventDefault();
  reportButton.disabled = true;
  complainAbout("");
  tell("Sending…", false);
  try {
    const answer = await askOrders(`/items/${chosenItem.value}/report`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ reason: reason.value }),
    });
    tell("", false);
    if (answer.ok) {
      reason.value = "";
      await lookAtKeys();
      tell("We have your report. You get a mail about what comes of it.", false);
    } else {
      await explain(answer);
    }
  } catch {
    tell(NO_ANSWER, true);
  } finally {
    reportButton.disabled = false;
  }
}

if (reportToken) {
  reportForm.addEventListener("submit", sendReport);
  lookAtKeys();
}
