// Without anywidget: send what `input` holds through the text box beside it. Each piece has a number, which
// the kernel writes back as its receipt; a Jupyter server silently drops any message over 10 MiB.
async function sendFiles(input, patience) { // patience in seconds
  const PIECE = 512 * 1024; // bytes
  const LOOK = 20; // milliseconds
  const zone = input.closest(".u2-zone");
  const [say, box] = [zone.querySelector(".u2-say"), zone.querySelector("textarea")];
  const files = [...input.files];
  input.value = ""; // so that choosing the same file again counts as a choice
  if (!files.length) return;
  const batch = String(Math.random());
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const unreadable = [];
  let sent = 0;
  let count = 0; // of pieces

  const pause = () => new Promise((resolve) => { setTimeout(resolve, LOOK); });
  const put = async (message) => {
    count += 1;
    const receipt = `${batch} ${count}`;
    box.value = JSON.stringify({ batch, receipt, ...message });
    box.dispatchEvent(new Event("change", { bubbles: true }));
    const end = performance.now() + 1000 * patience;
    while (box.value !== receipt) {
      if (performance.now() > end) {
        throw new Error(`The kernel has not answered for ${patience} seconds. If it has stopped, run the ` +
          "cells again; if it is busy, wait. Then choose again.");
      }
      await pause();
    }
  };
  const asText = (piece) => new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1] ?? ""); // "data:...;base64,..."
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(piece);
  });
  const sendFile = async (file, index) => {
    for (let start = 0; start === 0 || start < file.size; start += PIECE) {
      const piece = file.slice(start, start + PIECE);
      let data;
      try {
        data = await asText(piece);
      } catch (error) {
        unreadable.push(`${file.name} could not be read: ${error.message}`);
        await put({ index, drop: true });
        return;
      }
      await put({ index, name: file.name, data });
      sent += piece.size;
      say.textContent = `Sending, ${Math.round(total ? (100 * sent) / total : 100)} %`;
    }
  };

  input.previousElementSibling.disabled = true;
  say.textContent = "Sending…";
  try {
    for (const [index, file] of files.entries()) await sendFile(file, index);
    await put({ end: true });
    say.textContent = unreadable.join(" ");
  } catch (error) {
    say.textContent = `Not sent: ${error.message}`;
  }
  input.previousElementSibling.disabled = false;
}
