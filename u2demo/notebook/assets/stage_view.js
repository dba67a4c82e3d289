// The photo and its result, one over the other: zoomed, moved, and parted by a divider.
// All lengths are CSS pixels but those of the "world": pixels of the photo.

const ZOOM_STEP = 1.25;
const SPLIT_STEP = 2; // percent
const TALLEST = 0.57; // share of the window's height
const SLIM = 0.8; // height to width, at most
const DIVIDER = "Divider between the photo and the result";

// JupyterLab runs its own shortcuts unless the element that has the focus forbids it.
function quiet(focusable) {
  focusable.dataset.lmSuppressShortcuts = "true";
  return focusable;
}

// Whoever is about to copy or save a picture that was just replaced still gets it.
function forget(image) {
  setTimeout(() => URL.revokeObjectURL(image.src), 10_000);
}

function makeView({ onMove, onPaint }) {
  const board = make("div", "u2-board");
  const photoLayer = make("div", "u2-layer");
  const resultLayer = make("div", "u2-layer");
  const paper = make("canvas", "u2-paper");
  const divider = quiet(make("div", "u2-split"));
  const surface = quiet(make("div", "u2-view", {}, board, photoLayer, resultLayer, paper));
  const sides = [make("span", "u2-side-name"), make("span", "u2-side-name u2-right")];
  surface.append(...sides);
  const element = make("div", "u2-frame", {}, surface, divider);
  surface.tabIndex = divider.tabIndex = 0;
  surface.setAttribute("role", "application");
  divider.setAttribute("role", "slider");
  divider.setAttribute("aria-valuemin", "0");
  divider.setAttribute("aria-valuemax", "100");

  const view = {
    element, surface, divider, mode: "compare", world: [1, 1], scale: 1, x: 0, y: 0, split: 50,
    pictures: {}, // name -> {image, part}: photo, picture, and the same with "detail " before it
  };
  let isFitted = true;
  let isSplitByHand = false;
  let names = [];

  const dpr = () => window.devicePixelRatio || 1;
  const snap = (length) => Math.round(length * dpr()) / dpr();
  const size = () => [surface.clientWidth || 1, surface.clientHeight || 1];
  view.fit = () => Math.min(size()[0] / view.world[0], size()[1] / view.world[1]);
  view.real = () => 1 / dpr();
  view.isZoomed = () => view.scale > view.fit() * 1.001;
  view.toWorld = (x, y) => [(x - view.x) / view.scale, (y - view.y) / view.scale];
  view.toScreen = (x, y) => [x * view.scale + view.x, y * view.scale + view.y];
  view.at = (event) => {
    const around = surface.getBoundingClientRect();
    return [event.clientX - around.left, event.clientY - around.top];
  };

  function inside(offset, length, room) {
    if (length <= room) return (room - length) / 2;
    return Math.min(0, Math.max(room - length, offset));
  }

  // The edges of what is seen of the photo, on the screen.
  function seen() {
    const [width, height] = size();
    const [right, bottom] = view.toScreen(...view.world);
    return [Math.max(0, view.x), Math.max(0, view.y), Math.min(width, right), Math.min(height, bottom)];
  }

  function place(element, [left, top, right, bottom]) {
    const [x, y] = view.toScreen(left, top).map(snap);
    const [far, low] = view.toScreen(right, bottom).map(snap);
    Object.assign(element.style, {
      left: `${x}px`, top: `${y}px`, width: `${far - x}px`, height: `${low - y}px`,
    });
  }

  view.draw = () => {
    const [width, height] = size();
    const whole = [0, 0, ...view.world];
    view.x = inside(view.x, view.world[0] * view.scale, width);
    view.y = inside(view.y, view.world[1] * view.scale, height);
    place(board, whole);
    for (const each of Object.values(view.pictures)) {
      place(each.image, each.part ?? whole);
      each.image.classList.toggle("u2-pixels", view.scale * dpr() > 1.5);
    }
    const [left, , right] = seen();
    const at = snap(left + ((right - left) * view.split) / 100);
    const isCompared = view.mode === "compare";
    photoLayer.style.clipPath = isCompared ? `inset(0 calc(100% - ${at}px) 0 0)` : "";
    resultLayer.style.clipPath = isCompared ? `inset(0 0 0 ${at}px)` : "";
    photoLayer.style.visibility = isCompared || view.mode === "photo" ? "" : "hidden";
    resultLayer.style.visibility = view.mode === "photo" ? "hidden" : "";
    divider.hidden = !isCompared;
    divider.style.left = `${at}px`;
    divider.setAttribute("aria-valuenow", String(Math.round(view.split)));
    divider.setAttribute("aria-valuetext", `${Math.round(view.split)} % ${names[0]}`);
    for (const side of sides) side.hidden = !isCompared || !side.textContent;
    element.style.setProperty("--split", `${view.split}%`);
    element.dataset.zoom = String(Math.round(view.scale * dpr() * 100));
    view.paint();
  };

  // Call onPaint with a context in pixels of the photo, and one function that changes to the screen's.
  view.paint = () => {
    const [width, height] = size();
    const wanted = [Math.round(width * dpr()), Math.round(height * dpr())];
    if (paper.width !== wanted[0] || paper.height !== wanted[1]) [paper.width, paper.height] = wanted;
    const pen = paper.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, ...wanted);
    onPaint(pen);
  };
  // To a hair as the pictures are placed, so that what is drawn ends where they end.
  view.inWorld = (pen) => {
    const [left, top] = view.toScreen(0, 0).map(snap);
    const [right, bottom] = view.toScreen(...view.world).map(snap);
    const [across, down] = [(right - left) / view.world[0], (bottom - top) / view.world[1]];
    pen.setTransform(across * dpr(), 0, 0, down * dpr(), left * dpr(), top * dpr());
  };
  view.onScreen = (pen) => pen.setTransform(dpr(), 0, 0, dpr(), 0, 0);

  function moved() {
    view.draw();
    onMove();
  }

  const least = () => Math.min(view.fit(), view.real()); // a small photo is enlarged to fit

  view.zoomTo = (scale, x = size()[0] / 2, y = size()[1] / 2) => {
    const [left, top] = view.toWorld(x, y);
    const most = Math.max(8 * view.real(), 4 * view.fit());
    view.scale = Math.min(most, Math.max(least(), scale));
    isFitted = Math.abs(view.scale / view.fit() - 1) < 0.001;
    [view.x, view.y] = [x - left * view.scale, y - top * view.scale];
    moved();
  };
  view.zoomBy = (factor, x, y) => view.zoomTo(view.scale * factor, x, y);
  view.zoomToFit = () => view.zoomTo(view.fit());
  view.zoomToReal = () => view.zoomTo(view.real());
  view.moveBy = (x, y) => {
    view.x += x;
    view.y += y;
    moved();
  };
  view.splitAt = (x) => {
    const [left, , right] = seen();
    view.setSplit((100 * (x - left)) / Math.max(1, right - left));
  };
  view.setSplit = (split) => {
    isSplitByHand = true;
    view.split = Math.min(100, Math.max(0, split));
    view.draw();
  };

  // Of another photo: the divider parts its subject, and stays where a person has moved it.
  view.offerSplit = (split) => {
    if (!isSplitByHand) view.split = split;
  };

  view.setWorld = (world) => {
    const isOther = world.join() !== view.world.join();
    view.world = world;
    if (isOther) isFitted = true;
    if (isFitted) view.scale = view.fit();
    if (isOther) onMove();
  };

  // Show a picture that has been decoded; without a part it is one of the whole photo.
  view.put = (name, image, part) => {
    const isPhoto = name.endsWith("photo");
    const isPart = name.startsWith("detail ");
    const kind = isPhoto ? "u2-before" : "u2-after";
    image.className = isPart ? "u2-part" : kind;
    image.alt = isPart ? "" : isPhoto ? "The photo" : "The result";
    image.draggable = false;
    const before = view.pictures[name];
    view.pictures[name] = { image, part };
    const layer = isPhoto ? photoLayer : resultLayer;
    if (before) before.image.replaceWith(image);
    else if (isPart) layer.append(image);
    else layer.prepend(image);
    if (before) forget(before.image);
  };
  view.drop = (name) => {
    const gone = view.pictures[name];
    if (!gone) return;
    gone.image.remove();
    forget(gone.image);
    delete view.pictures[name];
  };
  // What stands on both sides of the divider, if it is not the photo and its result.
  view.setSides = (both) => {
    names = both ?? ["photo", "result"];
    sides.forEach((side, place) => { side.textContent = both ? both[place] : ""; });
    divider.setAttribute("aria-label", both ? `Divider between ${both[0]} and ${both[1]}` : DIVIDER);
  };
  view.setSides(null);
  view.setClear = (isClear) => board.classList.toggle("u2-clear", isClear);

  // What the page shows: a part of the photo with a little around it, and its pixels on the screen.
  view.asked = () => {
    const [width, height] = size();
    const around = [0.15 * width, 0.15 * height];
    const [left, top] = view.toWorld(-around[0], -around[1]).map(Math.floor);
    const [right, bottom] = view.toWorld(width + around[0], height + around[1]).map(Math.ceil);
    const part = [
      Math.max(0, left), Math.max(0, top),
      Math.min(view.world[0], right), Math.min(view.world[1], bottom),
    ];
    return { kind: "view", part, scale: view.scale * dpr() };
  };

  view.layOut = () => {
    const wide = element.clientWidth;
    if (!wide) return;
    const tallest = TALLEST * Math.min(window.innerHeight, screen.availHeight || 1e4);
    surface.style.height = `${Math.round(Math.max(180, Math.min(tallest, SLIM * wide)))}px`;
    const [x, y] = view.toWorld(size()[0] / 2, size()[1] / 2);
    view.scale = isFitted ? view.fit() : Math.max(least(), view.scale);
    [view.x, view.y] = [size()[0] / 2 - x * view.scale, size()[1] / 2 - y * view.scale];
    moved();
  };

  listenToDivider(view);
  return view;
}

function listenToDivider(view) {
  const { divider } = view;
  const steps = {
    ArrowLeft: -SPLIT_STEP, ArrowDown: -SPLIT_STEP, ArrowRight: SPLIT_STEP, ArrowUp: SPLIT_STEP,
    PageDown: -10, PageUp: 10, Home: -100, End: 100,
  };
  divider.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    view.setSplit(view.split + steps[event.key]);
  });
  divider.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    divider.setPointerCapture(event.pointerId);
    divider.focus({ preventScroll: true });
    event.preventDefault();
  });
  divider.addEventListener("pointermove", (event) => {
    if (divider.hasPointerCapture(event.pointerId)) view.splitAt(view.at(event)[0]);
  });
}
