"use strict";
// Light or dark: as the reader's system has it, until the button says otherwise.

function dress(theme) {
  document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme");
  button.textContent = theme === "dark" ? "Light" : "Dark";
  button.setAttribute("aria-pressed", String(theme === "dark"));
}
document.getElementById("theme").addEventListener("click", () => {
  dress(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
});
dress(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
