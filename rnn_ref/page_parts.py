"""Style and script of the pages that :mod:`rnn_ref.page` writes."""

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #1a1a1a; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.25rem; margin: 0 0 .75rem; }
form > div { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .75rem; margin-bottom: .5rem; }
form label { min-width: 9rem; }
input[type=range] { flex: 1 1 8rem; min-height: 2rem; accent-color: #0060a0; }
output { min-width: 3rem; font-variant-numeric: tabular-nums; }
button, select { font: inherit; padding: .25rem .75rem; min-height: 2.5rem; border: 1px solid #555; border-radius: 4px;
  background: #f4f4f4; color: #1a1a1a; }
button { min-width: 6.5rem; }
:focus-visible { outline: 3px solid #0060a0; outline-offset: 2px; }
:disabled { opacity: .5; }
figure { margin: .5rem 0; }
#stage { overflow-x: auto; }
.picture svg { display: block; width: 100%; max-width: 64rem; height: auto; }
.text table { border-collapse: collapse; font-family: Cambria, "STIX Two Text", Georgia, serif; font-size: 1.1rem; }
.text th { text-align: left; padding: .75rem 0 .25rem; font-family: system-ui, sans-serif; font-size: 1rem; }
.text td { padding: .1rem .3rem; vertical-align: baseline; }
.text td:first-child { text-align: right; font-style: italic; white-space: nowrap; }
.text + figcaption { display: none; }
.text td.last { font-weight: bold; }
figcaption, details { margin-top: .5rem; }
@media (max-width: 40rem) {
  form label { min-width: 100%; }
  .text td:first-child { text-align: left; white-space: normal; }
}
.note { background: #fff3cd; padding: .5rem .75rem; border-left: 4px solid #8a6100; }
"""

SCRIPT = """
"use strict";
(async () => {
  const get = id => document.getElementById(id);
  const stage = get("stage"), words = get("words"), play = get("play");
  const controls = [...document.querySelectorAll("[data-control]")];
  const texts = [...get("all").children].map(item => item.textContent);
  if (typeof DecompressionStream === "undefined") return;
  const bytes = Uint8Array.from(atob(get("data").textContent), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const { lines, frames, places } = await new Response(stream).json();

  function show() {
    for (const control of controls) {
      if (control.type === "range") {
        const value = JSON.parse(control.dataset.values)[control.value];
        control.parentElement.querySelector("output").textContent = value;
        control.setAttribute("aria-valuetext", value);
      }
      if (control.dataset.only) {
        const [number, value] = control.dataset.only.split(",");
        control.disabled = controls[number].value !== value;
      }
    }
    const number = places[controls.map(control => control.value).join()];
    stage.innerHTML = frames[number].map(line => lines[line]).join("\\n");
    if (stage.getAttribute("role") === "img") stage.setAttribute("aria-label", texts[number]);
    words.textContent = texts[number];
  }

  let timer = null;
  function pause() {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶ Play";
  }
  if (play) {
    const slider = play.parentElement.querySelector("input"), by = Number(play.dataset.by);
    const [begin, end] = by > 0 ? [slider.min, slider.max] : [slider.max, slider.min];
    function step() {
      slider.value = Number(slider.value) + by;
      show();
      if (slider.value === end) pause();
    }
    play.addEventListener("click", () => {
      if (timer !== null) return pause();
      if (slider.value === end) { slider.value = begin; show(); }
      play.textContent = "❚❚ Pause";
      timer = setInterval(step, 400);
    });
    slider.addEventListener("pointerdown", pause);
    slider.addEventListener("keydown", pause);
  }
  for (const control of controls) control.addEventListener("input", show);
  get("controls").addEventListener("submit", event => event.preventDefault());
  get("controls").hidden = false;
  get("still").hidden = true;
  show();
})();
"""
