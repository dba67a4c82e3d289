// What plain ipywidgets lack: names for screen readers, and a stage that stays visible.

function label(app) {
  const set = (element, name, value) => {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  };
  for (const image of app.querySelectorAll(".u2-tile img")) set(image, "alt", ""); // the button says it
  for (const image of app.querySelectorAll("img.u2-before")) set(image, "alt", "The photo");
  for (const image of app.querySelectorAll("img.u2-after")) set(image, "alt", "The result");
  for (const button of app.querySelectorAll(".u2-tile button:not(.u2-remove)")) {
    const isOnStage = button.closest(".u2-tile").classList.contains("u2-chosen");
    set(button, "aria-current", String(isOnStage));
  }
  for (const toggle of app.querySelectorAll(".widget-toggle-button")) {
    set(toggle, "aria-pressed", String(toggle.classList.contains("mod-active")));
  }
  for (const handle of app.querySelectorAll(".noUi-handle")) {
    const row = handle.closest(".widget-inline-hbox");
    set(handle, "aria-label", row?.querySelector(".widget-label")?.textContent ?? "");
  }
}

function assist(app) {
  const observer = new MutationObserver(() => label(app));
  observer.observe(app, { subtree: true, childList: true, attributeFilter: ["class"] });
  const show = (event) => {
    if (!event.target.closest(".u2-tile")) return;
    app.querySelector(".u2-compare").scrollIntoView({ block: "nearest" });
  };
  app.addEventListener("click", show);
  label(app);
  return () => {
    observer.disconnect();
    app.removeEventListener("click", show);
  };
}

// Assist the app around `el` once it is on the page, if there is one; return a function that ends it.
function assistAround(el) {
  let end = () => {};
  const waitAndLook = () => {
    const frame = requestAnimationFrame(look);
    end = () => cancelAnimationFrame(frame);
  };
  const look = () => {
    const app = el.closest(".u2-app");
    if (app) end = assist(app);
    else if (!el.isConnected) waitAndLook();
  };
  look();
  return () => end();
}
