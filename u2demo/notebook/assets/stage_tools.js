// What a person does on the stage: strokes, boxes and clicks, by mouse, pen, finger and keyboard.

const TOOLS = ["move", "keep", "erase", "box", "objects", "place"];
const [THINNEST, THICKEST] = [4, 160]; // brushes, CSS pixels across
const TINT = "rgba(196, 30, 74, 0.62)"; // as the kernel tints what is not kept
const FOUND = "rgba(47, 107, 237, 0.5)"; // the object under the pointer
const NEAR = 1.5; // CSS pixels; points of a stroke are farther apart
const SMALLEST_BOX = 8; // CSS pixels
const HINTS = {
  move: "Drag to move the photo or the divider. Plus and minus zoom.",
  keep: "Paint what is missing.",
  erase: "Paint what does not belong.",
  box: "Drag a box around what you mean. By keyboard: Enter at two corners.",
  place: "Drag the subject, or a photo behind it. The wheel, plus and minus scale what is there.",
  objects: "Click an object to keep only it, others to keep them, too. Click again to undo that.",
};
const BY_KEYS = "Arrow keys move the ring, Space paints."; // there is no room for it beside the brush
const isBrush = (name) => name === "keep" || name === "erase";
const allHintsOf = (name) => (isBrush(name) ? `${HINTS[name]} ${BY_KEYS}` : HINTS[name]);

// `ask(message)` tells the kernel of a correction and returns its number.
function makeTools(ask) {
  const tools = {
    name: "move", brush: 24, showsPhoto: true, cursor: null, isOver: false,
    current: null, // what is being drawn: {kind, points | corners}, in pixels of the photo
    pending: [], // strokes and boxes that the kernel has not answered yet: {number, ...}
    shade: null, shadePart: null, // pictures that tint what is not kept: of the whole, of a part
    objects: null, // {width, height, labels}: which object lies where
    within: null, view: null,
    onChange: () => {},
  };
  const highlights = new Map(); // number of an object -> canvas
  tools.isBrush = () => isBrush(tools.name);
  tools.isPlacing = () => tools.name === "place";
  tools.isCorrecting = () => tools.name !== "move" && !tools.isPlacing();
  tools.radius = () => tools.brush / 2 / tools.view.scale;

  tools.choose = (name) => {
    tools.cancel();
    placing = idle();
    told = null;
    tools.name = name;
    tools.onChange();
  };
  tools.setBrush = (brush) => {
    tools.brush = Math.round(Math.min(THICKEST, Math.max(THINNEST, brush)));
    tools.onChange();
  };
  tools.cancel = () => {
    tools.current = null;
    tools.view?.paint();
  };
  // Another photo comes: what was drawn, and is being drawn, belongs to the one that goes.
  tools.forget = () => {
    tools.pending = [];
    placing = idle();
    told = null;
    tools.cancel();
  };
  tools.answered = (number) => {
    tools.pending = tools.pending.filter((each) => each.number > number);
    if (told !== null && number >= told) told = null;
    tellPlace();
  };
  tools.setObjects = (objects) => {
    tools.objects = objects;
    highlights.clear();
  };

  // What is placed follows the hand as fast as the kernel answers: what it has not been told yet adds up.
  const idle = () => ({ by: [0, 0], factor: 1, at: null, first: false, hold: "" });
  let placing = idle();
  let told = null; // number of the message that the kernel has not answered yet
  function tellPlace() {
    const { by, factor, at, first, hold } = placing;
    const isNothing = !first && factor === 1 && !by[0] && !by[1];
    if (told !== null || !at || isNothing) return;
    placing = idle();
    told = ask({ kind: "place", at: at.map(tenth), by, factor, first, hold });
    if (factor !== 1 && (by[0] || by[1])) Object.assign(placing, { by, at, hold }); // one at a time
  }
  tools.place = ({ by = [0, 0], factor = 1, at, first = false, hold = "" }) => {
    placing.by = [placing.by[0] + by[0], placing.by[1] + by[1]];
    placing.factor *= factor;
    placing.at = at;
    placing.first ||= first;
    placing.hold = hold;
    tellPlace();
  };

  // A pointer, or the ring of the keyboard, begins, goes on, and ends at a place of the screen.
  tools.begin = (x, y) => {
    const point = tools.view.toWorld(x, y);
    if (tools.isBrush()) {
      const keep = tools.name === "keep";
      tools.current = { kind: "stroke", points: [point], radius: tools.radius(), keep };
    } else if (tools.name === "box") {
      tools.current = { kind: "box", corners: [point, point] };
    } else if (tools.isPlacing()) {
      tools.current = { kind: "place", last: point };
      tools.place({ at: point, first: true });
    } else if (tools.name === "objects") {
      if (objectAt(point)) ask({ kind: "object", point: point.map(tenth) });
    }
    tools.view.paint();
  };
  tools.go = (x, y) => {
    tools.cursor = [x, y];
    const { current } = tools;
    const point = tools.view.toWorld(x, y);
    if (current?.kind === "stroke") {
      const last = current.points[current.points.length - 1];
      const way = Math.hypot(point[0] - last[0], point[1] - last[1]) * tools.view.scale;
      if (way >= NEAR) current.points.push(point);
    } else if (current?.kind === "box") {
      current.corners[1] = point;
    } else if (current?.kind === "place") {
      tools.place({ by: [point[0] - current.last[0], point[1] - current.last[1]], at: point });
      current.last = point;
    }
    tools.view.paint();
  };
  tools.end = () => {
    const { current } = tools;
    tools.current = null;
    if (current?.kind === "stroke") {
      const points = current.points.map((point) => point.map(tenth));
      const number = ask({ ...current, points, radius: Math.max(0.05, tenth(current.radius)) });
      tools.pending.push({ ...current, number });
    } else if (current?.kind === "box") {
      const box = ordered(current.corners);
      const least = SMALLEST_BOX / tools.view.scale;
      if (box[2] - box[0] >= least && box[3] - box[1] >= least) {
        tools.pending.push({ ...current, number: ask({ kind: "box", box }) });
      }
    }
    tools.view.paint();
  };

  function ordered([[a, b], [c, d]]) {
    const [wide, high] = tools.view.world;
    return [
      Math.max(0, Math.floor(Math.min(a, c))), Math.max(0, Math.floor(Math.min(b, d))),
      Math.min(wide, Math.ceil(Math.max(a, c))), Math.min(high, Math.ceil(Math.max(b, d))),
    ];
  }

  function objectAt([x, y]) {
    if (!tools.objects) return 0;
    const { width, height, labels } = tools.objects;
    const column = Math.floor((x / tools.view.world[0]) * width);
    const row = Math.floor((y / tools.view.world[1]) * height);
    if (column < 0 || row < 0 || column >= width || row >= height) return 0;
    return labels[row * width + column];
  }

  function highlightOf(object) {
    if (highlights.has(object)) return highlights.get(object);
    const { width, height, labels } = tools.objects;
    const pixels = new ImageData(width, height);
    labels.forEach((label, place) => { pixels.data[4 * place + 3] = label === object ? 255 : 0; });
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const pen = canvas.getContext("2d");
    pen.putImageData(pixels, 0, 0);
    pen.globalCompositeOperation = "source-in";
    pen.fillStyle = FOUND;
    pen.fillRect(0, 0, width, height);
    highlights.set(object, canvas);
    return canvas;
  }

  const scratch = document.createElement("canvas");

  // Show a stroke as what it says: the photo, or what takes its place.
  function paintStroke(pen, stroke) {
    const { canvas } = pen;
    if (scratch.width !== canvas.width || scratch.height !== canvas.height) {
      [scratch.width, scratch.height] = [canvas.width, canvas.height];
    }
    const { view } = tools;
    const brush = scratch.getContext("2d");
    brush.setTransform(1, 0, 0, 1, 0, 0);
    brush.globalCompositeOperation = "source-over";
    brush.clearRect(0, 0, scratch.width, scratch.height);
    view.inWorld(brush);
    tracePath(brush, stroke);
    brush.globalCompositeOperation = "source-in";
    if (stroke.keep || tools.showsPhoto) paintPhoto(brush);
    else brush.fillStyle = "#eceef1";
    if (!stroke.keep) {
      brush.globalCompositeOperation = tools.showsPhoto ? "source-atop" : "source-in";
      if (tools.showsPhoto) brush.fillStyle = TINT;
      brush.fillRect(0, 0, ...view.world);
    }
    pen.save();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(scratch, 0, 0);
    pen.restore();
  }

  function tracePath(pen, { points, radius }) {
    pen.lineCap = pen.lineJoin = "round";
    pen.lineWidth = 2 * radius;
    pen.beginPath();
    pen.moveTo(...points[0]);
    for (const point of points.length > 1 ? points.slice(1) : points) pen.lineTo(...point);
    pen.stroke();
  }

  // "source-in" clears all around what is drawn: so it is one picture, the one that covers the view.
  function paintPhoto(pen) {
    const { pictures, world } = tools.view;
    const whole = pictures.photo?.image;
    if (whole) pen.drawImage(whole, 0, 0, ...world);
    const detail = pictures["detail photo"];
    if (!detail) return;
    const [left, top, right, bottom] = detail.part;
    pen.globalCompositeOperation = "source-atop";
    pen.drawImage(detail.image, left, top, right - left, bottom - top);
  }

  function paintShade(pen) {
    const { shade, shadePart, view } = tools;
    if (shadePart) {
      const [left, top, right, bottom] = shadePart.part;
      const outside = new Path2D();
      outside.rect(0, 0, ...view.world);
      outside.rect(left, top, right - left, bottom - top);
      pen.save();
      pen.clip(outside, "evenodd");
      if (shade) pen.drawImage(shade, 0, 0, ...view.world);
      pen.restore();
      pen.drawImage(shadePart.image, left, top, right - left, bottom - top);
    } else if (shade) {
      pen.drawImage(shade, 0, 0, ...view.world);
    }
  }

  function paintBox(pen, [left, top, right, bottom]) {
    const { view } = tools;
    view.onScreen(pen);
    const [x, y] = view.toScreen(left, top);
    const [far, low] = view.toScreen(right, bottom);
    pen.lineWidth = 1.5;
    for (const [color, dash] of [["#000a", []], ["#fff", [6, 5]]]) {
      pen.strokeStyle = color;
      pen.setLineDash(dash);
      pen.strokeRect(x, y, far - x, low - y);
    }
    pen.setLineDash([]);
  }

  function paintRing(pen) {
    const { view, cursor } = tools;
    view.onScreen(pen);
    const radius = tools.isBrush() ? tools.brush / 2 : 7;
    for (const [width, color] of [[3.5, "#000a"], [1.5, tools.name === "erase" ? "#ff8fa3" : "#fff"]]) {
      pen.lineWidth = width;
      pen.strokeStyle = color;
      pen.beginPath();
      if (tools.isBrush()) {
        pen.arc(...cursor, radius, 0, 2 * Math.PI);
      } else {
        pen.moveTo(cursor[0] - radius, cursor[1]);
        pen.lineTo(cursor[0] + radius, cursor[1]);
        pen.moveTo(cursor[0], cursor[1] - radius);
        pen.lineTo(cursor[0], cursor[1] + radius);
      }
      pen.stroke();
    }
  }

  tools.paint = (pen) => {
    const { view, current, pending } = tools;
    if (!tools.isCorrecting()) return;
    view.inWorld(pen);
    pen.imageSmoothingEnabled = true;
    if (tools.showsPhoto) paintShade(pen);
    const drawn = current ? [...pending, current] : pending;
    for (const each of drawn) if (each.kind === "stroke") paintStroke(pen, each);
    if (tools.name === "objects" && tools.cursor && tools.isOver) {
      const object = objectAt(view.toWorld(...tools.cursor));
      view.inWorld(pen);
      if (object) pen.drawImage(highlightOf(object), 0, 0, ...view.world);
    }
    const boxes = drawn.filter((each) => each.kind === "box").map((each) => ordered(each.corners));
    if (!boxes.length && tools.within) boxes.push(tools.within);
    for (const box of boxes) paintBox(pen, box);
    if (tools.cursor && tools.isOver) paintRing(pen);
  };
  return tools;
}

const tenth = (number) => Math.round(10 * number) / 10;
