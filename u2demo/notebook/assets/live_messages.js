// Messages to the kernel that wait for an answer of the same kind and number, and files, which go in pieces.
// `channel` is how the page talks to the kernel: `send(message, bytes)`.

const MESSAGE_SIZE = 9e6; // bytes; a Jupyter server drops messages over 10 MiB
const QUALITIES = [0.95, 0.8, 0.5]; // of a photo for the kernel: the first that fits in a message
const PIECE_SIZE = 512 * 1024; // bytes
const PIECE_PATIENCE = 20; // seconds
const LAST_PATIENCE = 180; // the file is saved then: a person may first have to allow it
const GIVEN_UP = new Error("Given up.");

function correspondence(channel) {
  const waiting = new Map();
  const key = ({ kind, number }) => `${kind} ${number}`;
  let number = Math.floor(Math.random() * 1e9); // of messages; other views of this page have others
  const letters = {
    nextNumber() {
      number += 1;
      return number;
    },
    ask(message, bytes, seconds) {
      return new Promise((resolve, reject) => {
        const late = () => reject(new Error(`The kernel has not answered for ${seconds} seconds.`));
        const timer = setTimeout(late, 1000 * seconds);
        waiting.set(key(message), { resolve, reject, timer });
        channel.send(message, bytes);
      });
    },
    answer(message, bytes) {
      const asked = waiting.get(key(message));
      if (!asked) return;
      waiting.delete(key(message));
      clearTimeout(asked.timer);
      asked.resolve({ message, bytes });
    },
    // Give up what waits for an answer of this kind.
    drop(kind) {
      for (const [name, { reject, timer }] of waiting) {
        if (!name.startsWith(`${kind} `)) continue;
        clearTimeout(timer);
        waiting.delete(name);
        reject(GIVEN_UP);
      }
    },
    // Send a file in pieces, each after the receipt of the one before; return where it is.
    async sendFile(blob, name) {
      const file = letters.nextNumber();
      for (let offset = 0; ; offset += PIECE_SIZE) {
        const bytes = await blob.slice(offset, offset + PIECE_SIZE).arrayBuffer();
        const last = offset + PIECE_SIZE >= blob.size;
        const asked = { kind: "piece", number: file, name, first: offset === 0, last };
        const { message } = await letters.ask(asked, bytes, last ? LAST_PATIENCE : PIECE_PATIENCE);
        if (message.problem) throw new Error(message.problem);
        if (last) return message.text;
      }
    },
  };
  return letters;
}

// Return a photo as JPEG that fits in a message.
async function encodeForMessage(canvas) {
  let blob;
  for (const quality of QUALITIES) {
    blob = await encode(canvas, "image/jpeg", quality);
    if (blob.size <= MESSAGE_SIZE) break;
  }
  return blob;
}
