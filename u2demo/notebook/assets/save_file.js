// Save bytes that the kernel sends as a file in the person's downloads, copy them to the clipboard, or
// offer them as a picture to drag to another program.

async function copy(blob) {
  if (!navigator.clipboard?.write) throw new Error("it allows that on secure pages only");
  await navigator.clipboard.write([new ClipboardItem({ [blob.type]: blob })]);
}

// Firefox and Safari drag a picture as a file by themselves, Chromium by its DownloadURL.
async function offer(el, name, blob) {
  const picture = new Image();
  picture.src = URL.createObjectURL(blob);
  picture.className = "u2-drag-out";
  picture.draggable = true;
  picture.alt = `${name}, to be dragged to another program`;
  picture.title = "Drag this picture to a folder or another program";
  picture.addEventListener("dragstart", ({ dataTransfer }) => {
    dataTransfer.effectAllowed = "copy";
    dataTransfer.setData("DownloadURL", `${blob.type}:${name}:${picture.src}`);
    dataTransfer.setData("application/x-u2demo", name); // the app does not take it back
    dataTransfer.items.add(new File([blob], name, { type: blob.type })); // for other pages
  });
  await picture.decode();
  el.replaceChildren(picture);
  el.style.display = "";
  picture.scrollIntoView({ block: "nearest" });
}

function withdraw(el) {
  for (const picture of el.children) URL.revokeObjectURL(picture.src);
  el.replaceChildren();
  el.style.display = "none";
}

function render({ model, el }) {
  withdraw(el);
  const receive = async ({ task, name, type }, [bytes]) => {
    const blob = new Blob([bytes], { type });
    withdraw(el);
    try {
      if (task === "copy") await copy(blob);
      else if (task === "offer") await offer(el, name, blob);
      else download(name, blob);
      model.send({ task, name });
    } catch (error) {
      model.send({ task, name, refused: error.message });
    }
  };
  model.on("msg:custom", receive);
  return () => {
    model.off("msg:custom", receive);
    withdraw(el);
  };
}

export default { render };
