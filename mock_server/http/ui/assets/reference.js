// RapiDoc has no colour scheme of its own choice: it follows the browser's here.
const reference = document.querySelector("rapi-doc");
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const paint = () => reference.setAttribute("theme", dark.matches ? "dark" : "light");
dark.addEventListener("change", paint);
paint();
