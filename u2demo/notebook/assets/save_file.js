// Save bytes that the kernel sends as a file in the person's downloads, or copy them to the clipboard.
function download(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function copy(blob) {
  if (!navigator.clipboard?.write) throw new Error("it allows that on secure pages only");
  await navigator.clipboard.write([new ClipboardItem({ [blob.type]: blob })]);
}

function render({ model, el }) {
  el.style.display = "none";
  const receive = async ({ task, name, type }, [bytes]) => {
    const blob = new Blob([bytes], { type });
    try {
      if (task === "copy") await copy(blob);
      else download(name, blob);
      model.send({ task, name });
    } catch (error) {
      model.send({ task, name, refused: error.message });
    }
  };
  model.on("msg:custom", receive);
  return () => model.off("msg:custom", receive);
}

export default { render };
