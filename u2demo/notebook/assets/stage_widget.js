// The stage in JupyterLab, Voila and Colab's own widget manager: its channel is the widget's.
function render({ model, el }) {
  let listen = () => {};
  const channel = {
    send: (message) => model.send(message),
    on: (callback) => { listen = callback; },
  };
  const pass = (message, buffers) => listen(message, buffers);
  model.on("msg:custom", pass);
  const end = openStage(el, channel);
  return () => {
    model.off("msg:custom", pass);
    end();
  };
}

export default { render };
