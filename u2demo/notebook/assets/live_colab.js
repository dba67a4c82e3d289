// Run by Colab's eval_js after live.js: build the live page, and `u2live` to talk with it.

function asText(bytes) {
  const reader = new FileReader();
  reader.readAsDataURL(new Blob([bytes]));
  return new Promise((resolve) => { reader.onload = () => resolve(reader.result.split(",")[1]); });
}

const outbox = makeOutbox();
const channel = {
  send(message, bytes) { outbox.put({ message, bytes }); },
  onmessage() {},
};
const photos = told.samples.map((text) => createImageBitmap(new Blob([asBytes(text)])));
const end = openLive(findRoom(), channel, {
  samples: await Promise.all(photos), keep: told.keep, patience: told.patience, done: outbox.close,
});
globalThis.u2live = {
  // Pass on the kernel's answers; resolve to what the page has to say, null when the person is done.
  async next(answers) {
    for (const { message, data } of answers) channel.onmessage(message, asBytes(data));
    const said = await outbox.take();
    if (outbox.isOver) return null;
    return Promise.all(said.map(async ({ message, bytes }) => (
      { ...message, data: bytes ? await asText(bytes) : "" }
    )));
  },
  end,
};
return true;
