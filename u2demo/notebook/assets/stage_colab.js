// Run by Colab's eval_js after stage.js: build the stage's page, and `u2stage` to talk with it.

const outbox = makeOutbox();
let listen = () => {};
const channel = {
  send: outbox.put,
  on(callback) { listen = callback; },
};
const host = make("div", "u2-app");
const done = button("Done", outbox.close);
done.classList.add("u2-primary");
findRoom().append(host);
const end = openStage(host, channel);
host.querySelector(".u2-stage").append(done);
globalThis.u2stage = {
  // Pass on what the kernel says; resolve to what the page has to say, null when the person is done
  // and all is said.
  async next(news) {
    for (const { message, pictures } of news) listen(message, pictures.map(asBytes));
    const said = await outbox.take();
    return outbox.isOver && !said.length ? null : said;
  },
  end() {
    end();
    host.remove();
  },
};
return true;
