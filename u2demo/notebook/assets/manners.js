// How the app behaves on a page: the gallery is one stop of the keyboard, and unsaved work is asked about.

const LINGER = 200; // milliseconds after the last arrow key, before the photo that it reached is chosen
const BESIDE = 48; // pixels of the next tile to see beside the chosen one

// ipywidgets makes a tile first, what is in it later, and classes last.
const tilesOf = (gallery) => [...gallery.querySelectorAll(".u2-tile:has(button.u2-remove)")];
const buttonOf = (tile) => tile.querySelector("button:not(.u2-remove)");

// The keyboard stops at one tile; arrows, Home and End lead to the others, Delete removes one.
function walk(app, gallery) {
  let place = 0; // of the tile that the keyboard stops at
  let wanted = null; // the focus, by its place, once so many tiles are there again
  let choosing;
  let revealed; // the tile of the photo on the stage

  const stop = () => {
    const tiles = tilesOf(gallery);
    const at = Math.max(0, Math.min(place, tiles.length - 1));
    tiles.forEach((tile, index) => {
      const button = buttonOf(tile);
      set(button, "tabindex", index === at ? "0" : "-1");
      set(button, "aria-keyshortcuts", "Delete");
      set(tile.querySelector(".u2-remove"), "tabindex", "-1");
    });
  };
  const focus = (next) => {
    place = next;
    stop();
    const tile = tilesOf(gallery)[place];
    if (!tile) return;
    buttonOf(tile).focus({ preventScroll: true });
    tile.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const hint = () => {
    const rest = gallery.scrollWidth - gallery.clientWidth - gallery.scrollLeft;
    set(gallery, "data-before", String(gallery.scrollLeft > 1));
    set(gallery, "data-after", String(rest > 1));
  };
  const reveal = () => {
    const chosen = gallery.querySelector(".u2-tile.u2-chosen");
    if (!chosen || chosen === revealed) return;
    revealed = chosen;
    const [tile, strip] = [chosen, gallery].map((each) => each.getBoundingClientRect());
    if (tile.left < strip.left) gallery.scrollLeft -= strip.left - tile.left + BESIDE;
    if (tile.right > strip.right) gallery.scrollLeft += tile.right - strip.right + BESIDE;
  };
  const change = () => {
    stop();
    reveal();
    hint();
    // The tiles after one that has gone are made anew, one by one.
    const tiles = tilesOf(gallery);
    if (!wanted || tiles.length !== wanted.count) return;
    const next = Math.min(wanted.place, tiles.length - 1);
    wanted = null;
    if (gallery.offsetParent) focus(next);
    else app.querySelector(".u2-view, .u2-divider input")?.focus();
  };
  const onKey = (event) => {
    const tiles = tilesOf(gallery);
    const here = tiles.indexOf(event.target.closest(".u2-tile"));
    if (here < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      tiles[here].querySelector(".u2-remove").click();
      return;
    }
    const last = tiles.length - 1;
    const ways = { ArrowRight: here + 1, ArrowDown: here + 1, ArrowLeft: here - 1, ArrowUp: here - 1, Home: 0, End: last };
    if (!(event.key in ways)) return;
    event.preventDefault();
    focus(Math.max(0, Math.min(ways[event.key], last)));
    clearTimeout(choosing);
    const reached = tilesOf(gallery)[place];
    choosing = setTimeout(() => reached.isConnected && buttonOf(reached).click(), LINGER);
  };
  const onFocus = ({ target }) => {
    wanted = null;
    const here = tilesOf(gallery).indexOf(target.closest(".u2-tile"));
    if (here < 0) return;
    place = here;
    stop();
  };
  const onClick = ({ target }) => {
    clearTimeout(choosing); // a later choice than that of the arrow keys
    if (!target.closest(".u2-remove")) return;
    const tiles = tilesOf(gallery);
    const here = tiles.indexOf(target.closest(".u2-tile"));
    wanted = { place: here, count: (wanted?.count ?? tiles.length) - 1 };
  };
  const observer = new MutationObserver(change);
  observer.observe(gallery, { childList: true, subtree: true, attributeFilter: ["class"] });
  const resized = new ResizeObserver(hint);
  resized.observe(gallery);
  const listeners = { keydown: onKey, click: onClick, scroll: hint };
  for (const [type, listen] of Object.entries(listeners)) gallery.addEventListener(type, listen);
  app.addEventListener("focusin", onFocus);
  set(gallery, "role", "group");
  set(gallery, "aria-label", "Photos");
  change();
  return () => {
    observer.disconnect();
    resized.disconnect();
    clearTimeout(choosing);
    for (const [type, listen] of Object.entries(listeners)) gallery.removeEventListener(type, listen);
    app.removeEventListener("focusin", onFocus);
  };
}

// In a notebook the cells above may have left no room for the app.
function comeIntoSight(app) {
  if (app.closest(".jp-NotebookPanel")) app.scrollIntoView({ block: "start" });
}

// A page with unsaved photos is left only after a question. Voila ends the kernel before a person has
// answered it, unless its page keeps the event back: tools/page/voila/templates/u2demo asks there.
function askBeforeLeaving(isUnsaved) {
  if (document.body.dataset.voila !== undefined) return () => {};
  const ask = (event) => {
    if (isUnsaved()) event.preventDefault(); // "Leave page?"
  };
  window.addEventListener("beforeunload", ask);
  return () => window.removeEventListener("beforeunload", ask);
}

function render({ model, el }) {
  el.style.display = "none";
  const ends = [];
  const reset = ({ target }) => { // a double click on a slider
    const slider = target.closest(".widget-slider:has(.noUi-target)");
    if (slider) model.send({ reset: slider.querySelector(".widget-label").textContent });
  };
  const begin = () => {
    const app = el.closest(".u2-app");
    const gallery = app?.querySelector(".u2-gallery");
    if (!gallery) {
      const frame = requestAnimationFrame(begin);
      ends.push(() => cancelAnimationFrame(frame));
      return;
    }
    ends.push(walk(app, gallery));
    app.addEventListener("dblclick", reset);
    ends.push(() => app.removeEventListener("dblclick", reset));
    comeIntoSight(app);
  };
  ends.push(askBeforeLeaving(() => el.closest(".u2-app.u2-unsaved") !== null));
  begin();
  // Messages of one's own are not held back by ipywidgets, as a slider's values are.
  const settle = ({ settle: number }) => model.send({ settled: number });
  model.on("msg:custom", settle);
  ends.push(() => model.off("msg:custom", settle));
  model.send({ settled: 0 });
  return () => ends.forEach((end) => end());
}

export default { render };
