// Copies an address beside its button. Without this file one click selects the address, and the buttons stay hidden.
"use strict";

const SHOWN = 2000; // milliseconds for which a button says what it did

async function copied(field) {
  getSelection().selectAllChildren(field);
  try {
    await navigator.clipboard.writeText(field.textContent); // browsers allow it over https only
    return true;
  } catch {
    return document.execCommand("copy");
  }
}

for (const button of document.querySelectorAll("button.copy")) {
  const word = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.getAttribute("aria-describedby"));
    const said = (await copied(field)) ? button.dataset.copied : button.dataset.selected;
    button.textContent = said;
    document.getElementById("said").textContent = `${said} ${field.textContent}`;
    setTimeout(() => { button.textContent = word; }, SHOWN);
  });
}
