// Run by Colab's eval_js before the scripts of a page, with what the page is `told`. Its channel is a cell that
// asks again and again what the page has to say, and brings along what the kernel has to say.

const asBytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

const QUIET = 1000; // milliseconds after which the kernel, which only answers, is given the word

function makeOutbox() {
  let messages = [];
  let isOver = false;
  let ring = () => {};
  return {
    put(message) {
      messages.push(message);
      ring();
    },
    close() {
      isOver = true;
      ring();
    },
    get isOver() { return isOver; },
    // Resolve to the messages as soon as there are some, or none will come; soon also if there are none.
    async take() {
      const rung = new Promise((resolve) => { ring = resolve; });
      const quiet = new Promise((resolve) => { setTimeout(resolve, QUIET); });
      if (!messages.length && !isOver) await Promise.race([rung, quiet]);
      const taken = messages;
      messages = [];
      return taken;
    },
  };
}

// Return where Colab's page has room, with the styles that it was told.
function findRoom() {
  const room = document.querySelector("#output-area") ?? document.body;
  room.append(Object.assign(document.createElement("style"), { textContent: told.styles }));
  google.colab.output.setIframeHeight(900, true);
  return room;
}
