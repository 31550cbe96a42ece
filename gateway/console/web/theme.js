// Light or dark: what the system says, or what was chosen here.
import { effect, signal } from "./lib.js";

const KEY = "genai.theme";
export const theme = signal(localStorage.getItem(KEY) ?? "system");

effect(() => {
  localStorage.setItem(KEY, theme.value);
  if (theme.value === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = theme.value;
});
