// What is drawn on a canvas, recorded. Chromium keeps transparency.

const RECORDINGS = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"];

// Record `canvas`, but not while it is `paused`; `finish()` resolves to the clip.
function recordCanvas(canvas) {
  const mimeType = globalThis.MediaRecorder && RECORDINGS.find((each) => MediaRecorder.isTypeSupported(each));
  if (!mimeType) throw new Error("This browser cannot record. Chrome, Edge, Firefox and Safari can.");
  const stream = canvas.captureStream(30);
  const recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: 8_000_000 });
  const pieces = [];
  recorder.ondataavailable = (event) => pieces.push(event.data);
  const ended = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start(1000);
  let begun = performance.now(); // later by all pauses
  let paused = begun;
  return {
    seconds: () => ((recorder.state === "paused" ? paused : performance.now()) - begun) / 1000,
    pause() {
      if (recorder.state !== "recording") return;
      recorder.pause();
      paused = performance.now();
    },
    resume() {
      if (recorder.state !== "paused") return;
      recorder.resume();
      begun += performance.now() - paused;
    },
    async finish() {
      if (recorder.state !== "inactive") recorder.stop();
      await ended;
      for (const track of stream.getTracks()) track.stop();
      return new Blob(pieces, { type: mimeType.split(";")[0] });
    },
  };
}
