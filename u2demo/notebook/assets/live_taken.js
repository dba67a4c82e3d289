// Photos and recordings that were taken: each has a tile, to download, save or remove it.

// Tiles go into `shelf`. `sendFile(blob, name)` saves a file where `keep` says, and resolves to a
// sentence. `add` makes a tile; `saved` resolves once no file is on its way.
function keepTaken(shelf, keep, sendFile) {
  const saving = new Set(); // files on their way

  function add(blob, suffix, text = "") {
    const stamp = new Date(Date.now() - 60_000 * new Date().getTimezoneOffset()).toISOString();
    const name = `live ${stamp.slice(0, 19).replace("T", " ").replaceAll(":", "-")}.${suffix}`;
    const url = URL.createObjectURL(blob);
    const shown = suffix === "png"
      ? make("img", "", { src: url, alt: name })
      : make("video", "", { src: url, controls: true, loop: true, muted: true, playsInline: true });
    const link = make("a", "u2-button", { href: url, download: name, textContent: "Download" });
    const markSaved = () => tile.classList.remove("u2-unsaved");
    link.onclick = markSaved;
    const note = make("span", "u2-kept", { textContent: text });
    const save = button(`Save to ${keep}`, async () => {
      save.disabled = true;
      note.textContent = "Saving…";
      const sending = sendFile(blob, name);
      saving.add(sending);
      try {
        note.textContent = await sending;
        markSaved();
      } catch (error) {
        note.textContent = `Not saved: ${error.message}`;
        save.disabled = false;
      }
      saving.delete(sending);
    }, "u2-save");
    const remove = button("×", () => {
      URL.revokeObjectURL(url);
      tile.remove();
    }, "u2-remove");
    remove.setAttribute("aria-label", `Remove ${name}`);
    const tile = make("div", "u2-take u2-unsaved", {}, shown, make("span", "u2-name", { textContent: name }),
      make("div", "u2-row", {}, link, save, remove), note);
    shelf.prepend(tile);
  }

  return { add, saved: () => Promise.allSettled(saving) };
}
