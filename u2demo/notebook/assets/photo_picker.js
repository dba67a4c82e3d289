// Choose, drop or take photos and send them to the kernel in pieces, because a Jupyter server silently
// drops any message over 10 MiB. Each piece waits for its receipt, so nothing piles up.

const PIECE = 1024 * 1024; // bytes
const ICONS = {
  clip: '<rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="M10 9.2v5.6l5-2.8z"/>',
  file: '<path d="M13 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V9zM13 3v6h6"/>',
  photo: '<path d="M4 16l4.6-4.6a2 2 0 0 1 2.8 0L16 16m-2-2 1.6-1.6a2 2 0 0 1 2.8 0L20 14"/>' +
    '<rect x="3" y="4" width="18" height="16" rx="2.5"/><circle cx="15" cy="9" r="1.2"/>',
  camera: '<path d="M4 8h3l1.6-2.4h6.8L17 8h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1z"/>' +
    '<circle cx="12" cy="13" r="3.4"/>',
};

function icon(name) {
  const innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true">${ICONS[name]}</svg>`;
  return make("span", "u2-icon", { innerHTML });
}

// What the files are called, of which several may be chosen, or one.
const things = (model) => model.get("noun") + (model.get("multiple") ? "s" : "");

// Resolve when the kernel has confirmed a piece of `batch`; reject when it stays silent for too long:
// it may have stopped, and then the page hears nothing at all.
function receipt(model, batch) {
  const patience = model.get("patience"); // seconds
  return new Promise((resolve, reject) => {
    const listen = (message) => {
      if (message.batch !== batch) return;
      clearTimeout(timer);
      model.off("msg:custom", listen);
      if (message.error) reject(new Error(message.error));
      else resolve();
    };
    const giveUp = () => {
      model.off("msg:custom", listen);
      reject(new Error(
        `The kernel has not answered for ${patience} seconds. If it has stopped, run the cells ` +
        `again; if it is busy, wait. Then choose the ${things(model)} again.`
      ));
    };
    const timer = setTimeout(giveUp, 1000 * patience);
    model.on("msg:custom", listen);
  });
}

// Send the files until `isOver()`, and return a sentence for each that the browser cannot read, such as
// a file of a cloud drive that is not on this computer.
async function send(model, files, isOver, report) {
  const batch = crypto.randomUUID?.() ?? String(Math.random());
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const unreadable = [];
  let sent = 0;
  const cancel = () => {
    model.send({ batch, cancel: true });
    return ["Canceled."];
  };
  for (const [index, file] of files.entries()) {
    let offset = 0;
    do {
      let piece;
      try {
        piece = await file.slice(offset, offset + PIECE).arrayBuffer();
      } catch (error) {
        unreadable.push(`${file.name} could not be read: ${error.message}`);
        model.send({ batch, index, drop: true });
        break;
      }
      if (isOver()) return cancel();
      const done = receipt(model, batch);
      model.send({ batch, index, name: file.name }, undefined, [piece]);
      await done;
      offset += PIECE;
      sent += piece.byteLength;
      report(total ? sent / total : 1);
    } while (offset < file.size);
  }
  if (isOver()) return cancel(); // while the last piece was on its way
  model.send({ batch, end: true });
  return unreadable;
}

// Files that systems leave in folders.
const isClutter = (name) => name.startsWith(".") || ["Thumbs.db", "desktop.ini"].includes(name);

// Resolve to the files of an entry of the file system, those of a folder in the order of their names.
async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const inside = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // 100 at most
    if (!some.length) break;
    inside.push(...some.filter(({ name }) => !isClutter(name)));
  }
  inside.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  return (await Promise.all(inside.map(filesOf))).flat();
}

// Resolve to what was dropped, with the files of its folders, and of the folders in them.
async function droppedFiles({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean); // gone after an await
  if (!entries.some((entry) => entry.isDirectory)) return [...files];
  return (await Promise.all(entries.map(filesOf))).flat();
}

function render({ model, el }) {
  const zone = make("div", "u2-zone");
  const input = make("input", "u2-file", {
    type: "file", accept: model.get("accept"), multiple: model.get("multiple"),
  });
  const choose = make("button", "u2-button u2-primary", { type: "button" });
  const resting = matchMedia("(hover: none)").matches ? "" : model.get("hint"); // a finger drops nothing
  const hint = make("span", "u2-hint", { textContent: resting });
  const bar = make("progress", "u2-sending", { max: 1, hidden: true });
  const say = make("div", "u2-say");
  choose.append(icon(model.get("noun")), model.get("label"));
  input.tabIndex = -1;
  input.setAttribute("aria-label", model.get("label"));
  bar.setAttribute("aria-label", "Sending");
  say.setAttribute("role", "status");
  hint.setAttribute("role", "status");
  const cancel = make("button", "u2-button", { type: "button", textContent: "Cancel", hidden: true });
  zone.append(choose, input, hint, cancel, bar);

  let over = false; // whether what is being sent is not wanted any more
  let line = Promise.resolve(); // photos chosen while others are being sent wait in line
  const take = (list) => {
    const files = [...list].slice(0, model.get("multiple") ? undefined : 1);
    if (files.length) line = line.then(() => deliver(files));
    return line;
  };
  const deliver = async (files) => {
    bar.hidden = cancel.hidden = over = false;
    bar.value = 0;
    say.textContent = "";
    const noun = model.get("noun");
    hint.textContent = files.length > 1 ? `Sending ${files.length} ${noun}s…` : `Sending the ${noun}…`;
    try {
      const unreadable = await send(model, files, () => over, (part) => { bar.value = part; });
      say.textContent = unreadable.join(" ");
    } catch (error) {
      say.textContent = `Not sent: ${error.message}`;
    }
    bar.hidden = cancel.hidden = true;
    hint.textContent = resting;
  };

  cancel.onclick = () => { over = true; };
  choose.onclick = () => input.click();
  input.onchange = async () => {
    const files = [...input.files];
    input.value = ""; // so that choosing the same file again counts as a choice
    await take(files);
  };

  if (model.get("camera")) {
    const shoot = make("button", "u2-button", { type: "button" });
    shoot.append(icon("camera"), "Take a photo");
    shoot.onclick = async () => {
      shoot.disabled = true;
      say.textContent = "";
      try {
        const blob = await takePhoto(el);
        if (blob) await take([new File([blob], "webcam.jpg", { type: "image/jpeg" })]);
      } catch (error) {
        say.textContent = error.message;
      }
      shoot.disabled = false;
      shoot.focus();
    };
    zone.append(shoot);
  }

  // The main zone takes photos dropped or pasted anywhere on the app, another one only its own.
  // Otherwise the browser would open the dropped photo.
  let fading;
  const isOurs = ({ target, dataTransfer }) => {
    if (dataTransfer?.types?.includes("application/x-u2demo")) return false; // it came from here
    const area = model.get("main") ? el.closest(".u2-app") ?? zone : zone;
    return area.contains(target) && (target.closest(".u2-zone") ?? zone) === zone;
  };
  const onDrag = (event) => {
    if (!isOurs(event)) return;
    event.preventDefault();
    zone.classList.add("u2-over");
    clearTimeout(fading);
    fading = setTimeout(() => zone.classList.remove("u2-over"), 500); // dragover comes all the time
  };
  const onDrop = async (event) => {
    if (!isOurs(event)) return;
    event.preventDefault();
    zone.classList.remove("u2-over");
    const noun = model.get("noun");
    if (!event.dataTransfer.files.length) {
      say.textContent = `That is a link or text, not a file. Save the ${noun}, then drop its file.`;
      return;
    }
    try {
      const files = await droppedFiles(event.dataTransfer);
      if (files.length) take(files);
      else say.textContent = "The folder holds no files.";
    } catch (error) {
      say.textContent = `The folder could not be read: ${error.message}`;
    }
  };
  // A paste is ours too if the focus is on something around the app: on the page, say, or on its cell.
  const onPaste = (event) => {
    const { target, clipboardData, defaultPrevented } = event;
    const isAround = model.get("main") && target.contains(zone) && zone.checkVisibility();
    if (defaultPrevented || !clipboardData.files.length || target.matches(":read-write")) return;
    if (!isAround && !isOurs(event)) return;
    event.preventDefault();
    take(clipboardData.files);
  };
  const listeners = { dragenter: onDrag, dragover: onDrag, drop: onDrop, paste: onPaste };
  for (const [type, listen] of Object.entries(listeners)) document.addEventListener(type, listen);
  el.classList.add("u2-picker");
  el.append(zone, say);
  const endAssistance = model.get("main") ? assistAround(el) : () => {};
  return () => {
    endAssistance();
    for (const [type, listen] of Object.entries(listeners)) document.removeEventListener(type, listen);
  };
}

export default { render };
