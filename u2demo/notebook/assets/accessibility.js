// What plain ipywidgets lack: names for screen readers, keys of their own, a stage and words that come into sight.

const CONTROLS = "button, input, select, textarea, summary, video, a[href], [tabindex]";

// JupyterLab asks the focused element itself whether its keys are shortcuts: "x" would cut the cell.
function keepKeys(root) {
  for (const control of root.querySelectorAll(CONTROLS)) set(control, "data-lm-suppress-shortcuts", "true");
}

function label(app) {
  for (const image of app.querySelectorAll(".u2-tile img, .u2-scene img")) set(image, "alt", ""); // text says it
  for (const image of app.querySelectorAll("img.u2-before")) set(image, "alt", "The photo");
  for (const image of app.querySelectorAll("img.u2-after")) set(image, "alt", "The result");
  for (const button of app.querySelectorAll(".u2-tile button:not(.u2-remove)")) {
    const isOnStage = button.closest(".u2-tile").classList.contains("u2-chosen");
    set(button, "aria-current", String(isOnStage));
  }
  for (const toggle of app.querySelectorAll(".widget-toggle-button")) {
    set(toggle, "aria-pressed", String(toggle.classList.contains("mod-active")));
  }
  for (const swatch of app.querySelectorAll(".u2-swatch")) {
    set(swatch, "aria-pressed", String(swatch.classList.contains("u2-on")));
  }
  for (const control of app.querySelectorAll(".noUi-handle, .widget-colorpicker input")) {
    const row = control.closest(".widget-colorpicker, .widget-inline-hbox:not(.widget-colorpicker-input)");
    set(control, "aria-label", row?.querySelector(".widget-label")?.textContent ?? "");
    const readout = row?.querySelector(".widget-readout"); // of a slider, which itself says 0.49999999999999994
    if (readout) set(control, "aria-valuetext", readout.textContent);
  }
  for (const field of app.querySelectorAll(".u2-hex input")) set(field, "aria-label", "Color as #rrggbb");
  keepKeys(app);
}

// Without its kernel the app does nothing: say so once, and let nothing look as if it could be pressed.
function admitTheEnd(app) {
  const isGone = app.classList.contains("jupyter-widgets-disconnected");
  const said = app.querySelector(":scope > .u2-gone");
  if (isGone === Boolean(said)) return;
  for (const part of app.children) part.inert = isGone;
  said?.remove();
  if (!isGone) return;
  const note = make("div", "u2-note u2-problem u2-gone");
  note.setAttribute("role", "alert");
  note.textContent = document.body.dataset.voila
    ? "The app has stopped. Reload the page, then choose your photos again."
    : "The kernel has stopped, and the app with it. Run the cells again, then choose your photos again.";
  app.prepend(note);
}

// The settings scroll by themselves: what is said among them comes into sight, once. ipywidgets makes a note
// first, then what is in it, and lets it be seen last.
function reveal(app, seen) {
  const settings = app.querySelector(".u2-settings");
  for (const words of app.querySelectorAll(".u2-settings :is(.u2-note:has(.u2-close), .u2-progress)")) {
    if (!words.checkVisibility()) {
      seen.delete(words);
    } else if (!seen.has(words)) {
      seen.add(words);
      const below = words.getBoundingClientRect().bottom - settings.getBoundingClientRect().bottom;
      settings.scrollTop += Math.max(0, below);
    }
  }
}

// A button that rests while its work is done loses the focus: return a function that hears of changes and gives
// it back, unless a person has gone elsewhere.
function keepFocus() {
  let resting = null;
  return (changes) => {
    for (const { target } of changes.filter((each) => each.attributeName === "disabled")) {
      if (target.disabled && target === document.activeElement) resting = target;
      if (target.disabled || target !== resting) continue;
      if (document.activeElement === document.body) target.focus({ preventScroll: true });
      resting = null;
    }
  };
}

function assist(app) {
  const revealed = new WeakSet();
  const giveBack = keepFocus();
  const observer = new MutationObserver((changes) => {
    label(app);
    admitTheEnd(app);
    reveal(app, revealed);
    giveBack(changes);
  });
  observer.observe(app, { subtree: true, childList: true, attributeFilter: ["class", "style", "disabled"] });
  const show = ({ target }) => {
    const isChoice = target.closest(".u2-tile button") && !target.closest(".u2-remove");
    if (isChoice) app.querySelector(".u2-stage-box, .u2-compare")?.scrollIntoView({ block: "nearest" });
  };
  app.addEventListener("click", show);
  label(app);
  return () => {
    observer.disconnect();
    app.removeEventListener("click", show);
  };
}

// Assist the app around `el`, or `el` itself, once it is on the page; return a function that ends it.
function assistAround(el) {
  let end = () => {};
  const waitAndLook = () => {
    const frame = requestAnimationFrame(look);
    end = () => cancelAnimationFrame(frame);
  };
  const look = () => {
    if (el.isConnected) end = assist(el.closest(".u2-app") ?? el);
    else waitAndLook();
  };
  look();
  return () => end();
}
