// Pointers and keys on the stage -> zoom, moves, and what a tool does.

const KEY_STEP = 8; // CSS pixels that an arrow key moves the ring; with Shift five times as many
const PAN_STEP = 40;

function listenToPointers(view, tools) {
  const { surface } = view;
  const down = new Map(); // pointers on the surface: id -> place
  let doing = null; // "tool", "pan", "split" or "pinch"
  let last = null;

  const middle = () => {
    const [[a, b], [c, d]] = [...down.values()];
    return { at: [(a + c) / 2, (b + d) / 2], apart: Math.max(1, Math.hypot(a - c, b - d)) };
  };
  function start(event) {
    if (event.button > 1) return;
    tools.ringIsByKey = false;
    surface.setPointerCapture(event.pointerId);
    surface.focus({ preventScroll: true });
    down.set(event.pointerId, view.at(event));
    if (down.size === 2) {
      tools.cancel();
      doing = "pinch";
      last = middle();
      return;
    }
    if (down.size > 1) return;
    event.preventDefault();
    last = { at: view.at(event) };
    const wantsPan = event.button === 1 || tools.holdsSpace;
    if (wantsPan) {
      tools.paintsByKey = false;
      tools.cancel();
    }
    if (wantsPan || (tools.name === "move" && view.isZoomed())) doing = "pan";
    else if (tools.name === "move") doing = view.mode === "compare" ? "split" : null;
    else doing = "tool";
    tools.isOver = doing === "tool";
    tools.cursor = last.at;
    if (doing === "tool") tools.begin(...last.at);
    if (doing === "split") view.splitAt(last.at[0]);
  }
  function move(event) {
    tools.isOver = true;
    if (!down.has(event.pointerId)) {
      tools.go(...view.at(event));
      return;
    }
    const each = event.getCoalescedEvents?.() ?? [];
    const steps = (each.length ? each : [event]).map(view.at);
    const at = steps[steps.length - 1];
    down.set(event.pointerId, at);
    if (doing === "tool") for (const step of steps) tools.go(...step);
    if (doing === "split") view.splitAt(at[0]);
    if (doing === "pan") view.moveBy(at[0] - last.at[0], at[1] - last.at[1]);
    if (doing === "pinch" && down.size === 2) {
      const now = middle();
      if (tools.isPlacing()) {
        tools.place({ factor: now.apart / last.apart, at: view.toWorld(...now.at) });
        last = now;
        return;
      }
      view.moveBy(now.at[0] - last.at[0], now.at[1] - last.at[1]);
      view.zoomBy(now.apart / last.apart, ...now.at);
      last = now;
      return;
    }
    last = { at };
  }
  function end(event) {
    if (!down.delete(event.pointerId)) return;
    if (doing === "tool" && event.type === "pointerup") tools.end();
    else if (doing === "tool") tools.cancel();
    if (!down.size || doing !== "pinch") doing = null;
    if (event.pointerType === "touch") tools.isOver = false;
    view.paint();
  }
  const leave = () => {
    if (tools.ringIsByKey) return;
    tools.isOver = false;
    view.paint();
  };
  surface.addEventListener("pointerdown", start);
  surface.addEventListener("pointermove", move);
  surface.addEventListener("pointerup", end);
  surface.addEventListener("pointercancel", end);
  surface.addEventListener("pointerleave", leave);
  view.element.addEventListener("wheel", (event) => {
    const isMeant = event.ctrlKey || event.metaKey || view.element.contains(document.activeElement);
    const isUseless = event.deltaY > 0 && !view.isZoomed() && !tools.isPlacing();
    if (!isMeant || (isUseless && !event.ctrlKey)) return; // the page scrolls
    event.preventDefault();
    const factor = Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002));
    if (tools.isPlacing()) tools.place({ factor, at: view.toWorld(...view.at(event)), first: true });
    else view.zoomBy(factor, ...view.at(event));
  }, { passive: false });
}

// `commands` are undo, redo and choose (a tool); keys work in the whole stage, but those of the ring on the photo only.
function listenToKeys(root, view, tools, commands) {
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const anywhere = {
    "+": () => view.zoomBy(ZOOM_STEP), "=": () => view.zoomBy(ZOOM_STEP),
    "-": () => view.zoomBy(1 / ZOOM_STEP), 0: view.zoomToFit, 1: view.zoomToReal,
    "[": () => tools.setBrush(tools.brush / 1.2), "]": () => tools.setBrush(tools.brush * 1.2),
  };
  root.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key !== "z" && key !== "y") return;
      event.preventDefault();
      if (key === "y" || event.shiftKey) commands.redo();
      else commands.undo();
    } else if (tools.isPlacing() && event.target === view.surface && placeByKey(event)) {
      event.preventDefault();
    } else if (event.key in anywhere && !event.altKey) {
      event.preventDefault();
      anywhere[event.key]();
    } else if (event.target === view.surface) {
      onPhoto(event);
    }
  });
  root.addEventListener("keyup", (event) => {
    if (event.key !== " " || event.target !== view.surface) return;
    tools.holdsSpace = false;
    if (tools.isBrush() && tools.paintsByKey) tools.end();
    tools.paintsByKey = false;
  });
  view.surface.addEventListener("blur", () => {
    if (tools.paintsByKey) tools.end();
    tools.holdsSpace = tools.paintsByKey = tools.isOver = tools.ringIsByKey = false;
    view.paint();
  });

  // Keys move and scale the subject; return whether this one did.
  function placeByKey({ key, shiftKey }) {
    const [wide, high] = view.world;
    const factor = { "+": 1.05, "=": 1.05, "-": 1 / 1.05 }[key];
    const at = [wide / 2, high / 2];
    if (factor) {
      tools.place({ factor, at, hold: "subject" });
    } else if (key in ways) {
      const step = (shiftKey ? 0.05 : 0.01) * Math.max(wide, high);
      tools.place({ by: ways[key].map((way) => way * step), at, hold: "subject" });
    }
    return Boolean(factor) || key in ways;
  }

  function onPhoto(event) {
    const { key } = event;
    const isKnown = key in ways || key === " " || key === "Enter";
    if (key === "Escape" && tools.name !== "move") {
      if (tools.current) tools.cancel();
      else commands.choose("move");
    } else if (!isKnown) {
      return;
    } else if (tools.name === "move") {
      if (key in ways) view.moveBy(...ways[key].map((way) => -way * PAN_STEP));
    } else {
      useRing(event);
    }
    if (key === " ") tools.holdsSpace = true;
    event.preventDefault();
  }

  function useRing(event) {
    const [width, height] = [view.surface.clientWidth, view.surface.clientHeight];
    const isFirst = !tools.isOver;
    if (isFirst) tools.cursor = [width / 2, height / 2];
    tools.isOver = tools.ringIsByKey = true;
    let [x, y] = tools.cursor;
    if (event.key in ways) {
      if (isFirst && !tools.current) {
        view.paint(); // the first key shows where the ring is
        return;
      }
      const step = KEY_STEP * (event.shiftKey ? 5 : 1);
      x = Math.min(width, Math.max(0, x + ways[event.key][0] * step));
      y = Math.min(height, Math.max(0, y + ways[event.key][1] * step));
      tools.go(x, y);
      return;
    }
    if (event.repeat) return;
    if (tools.name === "box" && tools.current) {
      tools.end();
      return;
    }
    tools.begin(x, y);
    if (tools.isBrush() && event.key === " ") tools.paintsByKey = true;
    else if (tools.isBrush()) tools.end();
  }
}
