// The stage: the photo, its result, and tools to correct the mask. It needs no kernel but what
// `channel` brings: {send(message), on(callback(message, buffers))}. Returns a function that ends it.

const SILENCE = 15_000; // ms after which a correction without an answer is said to have none
const REST = 120; // ms after which a move of the photo is told to the kernel

const ICONS = {
  move: "M12 3v18M3 12h18M12 3l-3 3M12 3l3 3M12 21l-3-3M12 21l3-3M3 12l3-3M3 12l3 3M21 12l-3-3M21 12l-3 3",
  keep: "M4 20c3 0 5-1 5-4a3 3 0 0 1 5 2c0 2-3 3-10 2zM12 14l8-9M17 15h5M19.500 12.500v5",
  erase: "M8 19h12M5 15l8-9 6 5-8 8H8zM9 10l6 6",
  box: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M11 4h2M11 20h2M4 11v2M20 11v2",
  place: "M4 20h16M7 16l5-12 5 12zM3 9l-2 2 2 2M21 9l2 2-2 2",
  objects: "M8 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM13 13h7v7h-7z",
  undo: "M8 4L4 8l4 4M4 8h9a6 6 0 0 1 0 12H8",
  redo: "M16 4l4 4-4 4M20 8h-9a6 6 0 0 0 0 12h5",
};
const NAMES = { place: "Place", move: "Move", keep: "Keep", erase: "Erase", box: "Box", objects: "Objects" };

function iconOf(name) {
  return `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
}

function button(text, act, { icon, label } = {}) {
  const made = quiet(make("button", "u2-button", { type: "button" }));
  if (icon) made.innerHTML = iconOf(icon);
  if (text) made.append(make("span", "", {}, text));
  if (label) made.setAttribute("aria-label", label);
  if (label) made.title = label;
  made.addEventListener("click", act);
  return made;
}

function openStage(host, channel) {
  let asked = 0; // number of the last correction that the kernel was told of
  let silence = 0;
  let rest = 0;
  let queue = Promise.resolve(); // pictures are shown in the order in which they come
  let isOver = false;

  function ask(message) {
    asked += 1;
    channel.send({ ...message, number: asked, photo: root.dataset.photo });
    clearTimeout(silence);
    silence = setTimeout(() => say("The kernel has not answered yet."), SILENCE);
    return asked;
  }
  const tools = makeTools(ask);
  const view = makeView({ onMove: tellMove, onPaint: (pen) => tools.paint(pen) });
  tools.view = view;
  tools.onChange = show;

  function tellMove() {
    showZoom();
    if (root.hidden) return;
    clearTimeout(rest);
    rest = setTimeout(() => channel.send(view.asked()), REST);
  }

  // The rows of controls

  const zoomed = make("output", "u2-zoomed");
  const zoom = make(
    "div", "u2-zoom", {},
    button("−", () => view.zoomBy(1 / ZOOM_STEP), { label: "Zoom out" }),
    zoomed,
    button("+", () => view.zoomBy(ZOOM_STEP), { label: "Zoom in" }),
    button("Fit", view.zoomToFit, { label: "Show the whole photo" }),
    button("100 %", view.zoomToReal, { label: "Show the photo's own pixels, 100 %" }),
  );
  const choices = Object.fromEntries(TOOLS.map((name) => {
    const made = button(NAMES[name], () => choose(name), { icon: name });
    made.title = allHintsOf(name);
    made.setAttribute("role", "radio");
    return [name, made];
  }));
  const radios = make("div", "u2-tools", {}, ...Object.values(choices));
  radios.setAttribute("role", "radiogroup");
  radios.setAttribute("aria-label", "Tool");
  radios.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!way) return;
    event.preventDefault();
    const there = TOOLS.filter((tool) => !choices[tool].hidden);
    const next = there[(there.indexOf(tools.name) + way + there.length) % there.length];
    choose(next);
    choices[next].focus();
  });

  const size = quiet(make("input", "u2-size", { type: "range", min: THINNEST, max: THICKEST, step: 1 }));
  size.setAttribute("aria-label", "Brush size");
  size.addEventListener("input", () => tools.setBrush(Number(size.value)));
  const brush = make("label", "u2-brush", {}, make("span", "", {}, "Brush"), size);
  brush.title = "Brush size; [ and ] change it";

  const showing = quiet(make("input", "", { type: "checkbox", checked: true }));
  showing.addEventListener("change", () => {
    tools.showsPhoto = showing.checked;
    show();
  });
  const underneath = make("label", "u2-underneath", {}, showing, make("span", "", {}, "Show removed parts in red"));

  const commands = {
    choose,
    undo: () => !undo.disabled && ask({ kind: "undo" }),
    redo: () => !redo.disabled && ask({ kind: "redo" }),
  };
  const undo = button("", commands.undo, { icon: "undo", label: "Undo" });
  const redo = button("", commands.redo, { icon: "redo", label: "Redo" });
  const reset = button("Reset", () => ask({ kind: "reset" }), { label: "Reset corrections" });
  undo.title = "Undo the last correction (Ctrl+Z)";
  redo.title = "Do it again (Ctrl+Shift+Z)";
  reset.title = "Take back all corrections of this photo";

  const chooser = make("input", "u2-file", { type: "file", accept: ".json", hidden: true });
  chooser.addEventListener("change", async () => {
    const [file] = chooser.files;
    chooser.value = "";
    if (file) ask({ kind: "load", name: file.name, text: await file.text() });
  });
  const save = button("Save corrections", () => channel.send({ kind: "save" }));
  const load = button("Load corrections", () => chooser.click());
  const summary = quiet(make("summary", "u2-button", {}, "⋯"));
  summary.title = "Save or load corrections";
  summary.setAttribute("aria-label", "More: save or load corrections");
  const more = make("details", "u2-more", {}, summary, make("div", "u2-menu", {}, save, load, chooser));
  more.addEventListener("toggle", () => { // upwards where it would end below what is in sight
    more.classList.remove("u2-up");
    const end = host.closest(".jp-NotebookPanel")?.getBoundingClientRect().bottom ?? Infinity;
    const { bottom } = more.querySelector(".u2-menu").getBoundingClientRect();
    more.classList.toggle("u2-up", more.open && bottom > Math.min(end, window.innerHeight) - 4);
  });
  more.addEventListener("focusout", (event) => {
    if (!more.contains(event.relatedTarget)) more.open = false;
  });
  more.addEventListener("click", (event) => {
    if (event.target.closest(".u2-menu")) more.open = false;
  });
  more.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !more.open) return;
    more.open = false;
    summary.focus();
  });

  const history = make("div", "u2-history", {}, undo, redo, reset, more);

  const hint = make("div", "u2-hint-here");
  const told = make("div", "u2-told");
  told.setAttribute("role", "status");
  const words = make("div", "u2-stage-words", {}, told, hint);
  const first = make("div", "u2-stage-row", {}, radios, history);
  const second = make("div", "u2-stage-row", {}, brush, underneath, words, zoom);
  const root = make("div", "u2-stage", {}, view.element, first, second);
  host.append(root);

  function say(text) {
    told.textContent = text;
  }

  function choose(name) {
    tools.choose(name);
    say("");
    channel.send({ kind: "tool", tool: name });
  }

  function showZoom() {
    zoomed.textContent = `${view.element.dataset.zoom ?? 100} %`;
  }

  function show() {
    const { name } = tools;
    for (const [tool, made] of Object.entries(choices)) {
      made.setAttribute("aria-checked", String(tool === name));
      made.tabIndex = tool === name ? 0 : -1;
    }
    root.dataset.tool = name;
    brush.hidden = !tools.isBrush();
    underneath.hidden = !tools.isCorrecting();
    size.value = tools.brush;
    hint.textContent = HINTS[name];
    view.surface.setAttribute("aria-label", `The photo. ${allHintsOf(name)}`);
    if (tools.isCorrecting()) view.mode = tools.showsPhoto ? "photo" : "result";
    else view.mode = state.alone || tools.isPlacing() ? "result" : "compare";
    root.classList.toggle("u2-zoomed-in", view.isZoomed());
    view.draw();
    showZoom();
  }

  // What the kernel shows

  let state = { alone: true };
  root.hidden = true;

  async function decoded(buffer, type) {
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([buffer], { type }));
    await image.decode();
    return image;
  }

  async function take(message, buffers) {
    const pictures = {};
    const names = message.pictures ?? [];
    await Promise.all(names.map(async (name, place) => {
      pictures[name] = await decoded(buffers[place], name === "objects" ? "image/png" : "image/webp");
    }));
    if (isOver) return;
    if (message.kind === "show") takeWhole(message, pictures);
    if (message.kind === "detail") takeDetail(message, pictures);
    if (message.kind === "file") offer(message);
    if (message.kind === "say") answer(message);
  }

  function takeWhole(message, pictures) {
    const isOtherEffect = message.effect !== state.effect; // it could not be seen under the tint
    state = message;
    root.hidden = false;
    const isNext = message.photo !== root.dataset.photo;
    if (isNext) {
      tools.forget();
      say(""); // what was said is about the photo before
      view.offerSplit(message.middle ?? 50);
    }
    root.dataset.photo = message.photo;
    view.setWorld(message.size);
    view.setClear(message.clear);
    view.setSides(message.sides);
    if (isNext || pictures.photo) view.drop("detail photo");
    view.drop("detail picture");
    for (const name of ["photo", "picture"]) if (pictures[name]) view.put(name, pictures[name]);
    tools.shade = pictures.shade ?? null;
    tools.shadePart = null;
    tools.setObjects(pictures.objects ? labelsOf(pictures.objects) : null);
    tools.within = message.within;
    first.hidden = words.hidden = !message.tools;
    choices.place.hidden = !message.places;
    const isOffered = message.tools && (message.places || !tools.isPlacing());
    const isHidden = isOtherEffect && tools.isCorrecting() && tools.showsPhoto;
    if (isHidden || (!isOffered && tools.name !== "move")) choose("move");
    undo.disabled = !message.canUndo;
    redo.disabled = !message.canRedo;
    reset.disabled = save.disabled = !message.count;
    answer(message);
    view.layOut();
    show();
    root.dataset.shown = String(Number(root.dataset.shown ?? 0) + 1);
    root.dataset.count = String(message.count ?? 0);
    root.dataset.objects = String(tools.objects ? new Set(tools.objects.labels).size - 1 : "");
  }

  function takeDetail(message, pictures) {
    if (message.photo !== root.dataset.photo || message.version !== state.version) return;
    if (pictures.photo) view.put("detail photo", pictures.photo, message.part);
    if (pictures.picture) view.put("detail picture", pictures.picture, message.part);
    tools.shadePart = pictures.shade ? { image: pictures.shade, part: message.part } : null;
    view.draw();
    root.dataset.detail = `${message.version}: ${message.part}`;
  }

  function answer(message) {
    if (message.answered >= asked) clearTimeout(silence);
    tools.answered(message.answered ?? asked);
    if (message.said) say(message.said);
  }

  function labelsOf(image) {
    const [width, height] = [image.naturalWidth, image.naturalHeight];
    const pen = Object.assign(document.createElement("canvas"), { width, height })
      .getContext("2d", { willReadFrequently: true });
    pen.drawImage(image, 0, 0);
    const { data } = pen.getImageData(0, 0, width, height);
    const labels = Uint8Array.from({ length: width * height }, (_, place) => Math.round(data[4 * place] / 8));
    return { width, height, labels };
  }

  function offer({ name, text }) {
    download(name, new Blob([text], { type: "application/json" }));
    say(`${name} is in your downloads.`);
  }

  listenToPointers(view, tools);
  listenToKeys(root, view, tools, commands);
  const watch = new ResizeObserver(() => view.layOut());
  watch.observe(host);
  const onResize = () => view.layOut();
  window.addEventListener("resize", onResize);
  show();
  channel.on((message, buffers) => {
    queue = queue.then(() => take(message, buffers ?? [])).catch((error) => say(`Not shown: ${error.message}`));
  });
  channel.send({ kind: "ready" });
  return () => {
    isOver = true;
    clearTimeout(silence);
    clearTimeout(rest);
    watch.disconnect();
    window.removeEventListener("resize", onResize);
    for (const name of Object.keys(view.pictures)) view.drop(name);
    root.remove();
  };
}
