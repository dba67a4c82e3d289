// Run by Colab's eval_js after stage.js, with `told`: build the stage's page. Its channel is a cell
// that calls `u2stage.next` again and again, with what the kernel has to say.

const asBytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

const outbox = [];
let isOver = false;
let ring = () => {};
let listen = () => {};
const channel = {
  send(message) {
    outbox.push(message);
    ring();
  },
  on(callback) { listen = callback; },
};
const host = make("div", "u2-app");
const done = button("Done", () => {
  isOver = true;
  ring();
});
done.classList.add("u2-primary");
(document.querySelector("#output-area") ?? document.body).append(
  Object.assign(document.createElement("style"), { textContent: told.styles }), host,
);
google.colab.output.setIframeHeight(900, true);
const end = openStage(host, channel);
host.querySelector(".u2-stage").append(done);
globalThis.u2stage = {
  // Pass on what the kernel says; resolve to what the page has to say, null when the person is done
  // and all is said.
  async next(news) {
    for (const { message, pictures } of news) listen(message, pictures.map(asBytes));
    if (!outbox.length && !isOver) await new Promise((resolve) => { ring = resolve; });
    return isOver && !outbox.length ? null : outbox.splice(0);
  },
  end() {
    end();
    host.remove();
  },
};
return true;
