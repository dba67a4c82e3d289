// Run by Colab's eval_js after live.js, with `told`: build the live page. Its channel is a cell that
// calls `u2live.next` again and again, with the kernel's answers.

const asBytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

function asText(bytes) {
  const reader = new FileReader();
  reader.readAsDataURL(new Blob([bytes]));
  return new Promise((resolve) => { reader.onload = () => resolve(reader.result.split(",")[1]); });
}

const QUIET = 1000; // milliseconds after which the kernel, which only answers, is given the word
const outbox = [];
let isOver = false;
let ring = () => {};
const channel = {
  send(message, bytes) {
    outbox.push({ message, bytes });
    ring();
  },
  onmessage() {},
};
const photos = told.samples.map((text) => createImageBitmap(new Blob([asBytes(text)])));
const host = document.querySelector("#output-area") ?? document.body;
host.append(Object.assign(document.createElement("style"), { textContent: told.styles }));
google.colab.output.setIframeHeight(900, true);
const end = openLive(host, channel, {
  samples: await Promise.all(photos), keep: told.keep, patience: told.patience,
  done() {
    isOver = true;
    ring();
  },
});
globalThis.u2live = {
  // Pass on the kernel's answers; resolve to what the page has to say, soon also if that is nothing, and
  // to null when the person is done.
  async next(answers) {
    for (const { message, data } of answers) channel.onmessage(message, asBytes(data));
    const rung = new Promise((resolve) => { ring = resolve; });
    if (!outbox.length && !isOver) await Promise.race([rung, pause(QUIET)]);
    if (isOver) return null;
    const said = outbox.splice(0);
    return Promise.all(said.map(async ({ message, bytes }) => (
      { ...message, data: bytes ? await asText(bytes) : "" }
    )));
  },
  end,
};
return true;
