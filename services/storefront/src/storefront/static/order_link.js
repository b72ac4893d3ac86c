// What the pages of a mailed or kept link share. The order's token stands after "#": browsers never
// send that part, these pages give it to orders and to nobody else.

export const token = window.location.hash.slice(1);
export const LOST = "The answer did not arrive. Please check your connection and try again.";

export function ask(url, options = {}) {
  return fetch(url, {
    ...options,
    headers: { ...options.headers, Authorization: `Bearer ${token}` },
    referrerPolicy: "no-referrer",
    credentials: "omit",
    cache: "no-store",
  });
}

export function post(url, body) {
  return ask(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

export function say(status, text, isProblem = false) {
  status.textContent = text;
  status.className = isProblem ? "problem" : "";
}

export function complain(field, problem, text) {
  problem.textContent = text;
  problem.hidden = text === "";
  field.setAttribute("aria-invalid", text === "" ? "false" : "true");
}

export function fillList(list, texts) {
  list.replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  list.hidden = texts.length === 0;
}

export function option(value, text) {
  return Object.assign(document.createElement("option"), { value, textContent: text });
}
