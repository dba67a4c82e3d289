// The live page in JupyterLab and Voila: its channel is the widget's.
async function render({ model, el }) {
  const channel = {
    send(message, bytes) {
      try {
        model.send(message, undefined, bytes ? [bytes] : []);
      } catch (error) {
        console.warn(error); // the kernel is gone; the page says so when nothing answers
      }
    },
    onmessage: () => {},
  };
  const listen = (message, buffers) => channel.onmessage(message, buffers[0]);
  const photos = model.get("samples").map((bytes) => createImageBitmap(new Blob([bytes])));
  const samples = await Promise.all(photos);
  model.on("msg:custom", listen);
  const close = openLive(el, channel, {
    samples, keep: model.get("keep"), patience: model.get("patience"), advice: model.get("advice"),
  });
  return () => {
    model.off("msg:custom", listen);
    close();
  };
}

export default { render };
