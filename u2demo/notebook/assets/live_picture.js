// (picture, mask, effect) -> canvas, and what a picture comes from: a camera, or photos that move.
// All is drawn here, so an effect changes with the next picture, and only photos leave the page in full.

const TINT = "#2f6bff"; // highlight's and box's colors are those of the library
const LINE = "#ff3b30";
const LINE_WIDTH = 0.005; // of the longer side
const STRENGTH = 0.45;
const SOFT = 160; // pixels; longer side of the small picture that is blurred
const BLUR = 3; // pixels of it
const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const STILL = 3000; // milliseconds that a camera may take for a photo
const SAMPLE = { width: 720, height: 540, seconds: 6 }; // for each photo

function blank(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

// Fill `canvas` with a picture, in a mirror or not.
function fill(canvas, picture, mirror) {
  const { width, height } = canvas;
  const pen = canvas.getContext("2d");
  pen.setTransform(mirror ? -1 : 1, 0, 0, 1, mirror ? width : 0, 0);
  pen.drawImage(picture, 0, 0, width, height);
  return canvas;
}

// Return a small picture as JPEG, at once: `toBlob` waits until Chromium has nothing to paint.
function encodeJpeg(canvas, quality) {
  const letters = atob(canvas.toDataURL("image/jpeg", quality).split(",")[1]);
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

// Fill `canvas` with what a mask leaves out.
function fillAround(canvas, mask) {
  const { width, height } = canvas;
  const pen = canvas.getContext("2d");
  pen.globalCompositeOperation = "source-over";
  pen.fillRect(0, 0, width, height);
  pen.globalCompositeOperation = "destination-out";
  pen.drawImage(mask, 0, 0, width, height);
}

// Draw `shot` = {picture, mask, around, box, clean} as `look` = {effect, color, scene} says. The mask
// is anything drawable whose alpha says what the subject is, and `around` what the mask leaves out:
// erasing that takes Chromium less than half as long as keeping the subject. With `clean` the mask has
// the colors, too. The box is [left, top, right, bottom], in shares of the sides.
function paint(canvas, shot, look) {
  const { width, height } = canvas;
  const pen = canvas.getContext("2d");
  const draw = (image, how) => {
    pen.globalCompositeOperation = how;
    pen.drawImage(image, 0, 0, width, height);
  };
  const cut = () => (shot.clean ? draw(shot.mask, "copy") : draw(shot.around, "destination-out"));
  const behind = () => { pen.globalCompositeOperation = "destination-over"; };
  const effects = {
    cutout: cut,
    color() {
      cut();
      behind();
      pen.fillStyle = look.color;
      pen.fillRect(0, 0, width, height);
    },
    photo() {
      if (!look.scene) return effects.color();
      cut();
      behind();
      const scale = Math.max(width / look.scene.width, height / look.scene.height);
      const [wide, high] = [look.scene.width * scale, look.scene.height * scale];
      pen.drawImage(look.scene, (width - wide) / 2, (height - high) / 2, wide, high);
    },
    blur() {
      const soft = blurred(shot, width, height);
      cut();
      draw(soft, "destination-over");
    },
    box() {
      if (!shot.box) return;
      const line = Math.max(2, LINE_WIDTH * Math.max(width, height));
      const [left, top, right, bottom] = shot.box;
      pen.globalCompositeOperation = "source-over";
      pen.lineWidth = line;
      pen.strokeStyle = LINE;
      pen.strokeRect(
        left * width + line / 2, top * height + line / 2,
        (right - left) * width - line, (bottom - top) * height - line,
      );
    },
    highlight() {
      const tint = blank(shot.mask.width, shot.mask.height);
      const brush = tint.getContext("2d");
      brush.fillStyle = TINT;
      brush.fillRect(0, 0, tint.width, tint.height);
      brush.globalCompositeOperation = "destination-in";
      brush.drawImage(shot.mask, 0, 0);
      pen.globalAlpha = STRENGTH;
      draw(tint, "source-over");
      pen.globalAlpha = 1;
    },
  };
  draw(shot.picture, "copy");
  if (shot.mask) effects[look.effect]();
}

// Return a small blurred copy of a picture, in which the background covers the subject's place.
function blurred(shot, width, height) {
  const scale = SOFT / Math.max(width, height);
  const sharp = blank(Math.round(width * scale), Math.round(height * scale));
  const soft = blank(sharp.width, sharp.height);
  const [from, to] = [sharp.getContext("2d"), soft.getContext("2d")];
  from.drawImage(shot.picture, 0, 0, sharp.width, sharp.height);
  to.drawImage(sharp, 0, 0);
  from.globalCompositeOperation = "destination-out";
  from.drawImage(shot.mask, 0, 0, sharp.width, sharp.height);
  to.filter = `blur(${BLUR}px)`; // without filters, as in older Safaris, it is only small
  for (let times = 0; times < 4; times += 1) to.drawImage(sharp, 0, 0); // hardly transparent any more
  return soft;
}

// Sources. `picture` is what to draw, `isNew()` says whether it has changed since the last call,
// `still()` resolves to a photo, and `stop()` ends it, and turns a camera's light off.

async function openLiveCamera(deviceId, onEnd) {
  const device = deviceId ? { deviceId: { exact: deviceId } } : {};
  const stream = await openCamera({ ...CAMERA, ...device });
  const video = document.createElement("video");
  Object.assign(video, { srcObject: stream, muted: true, playsInline: true });
  const stop = () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  for (const track of stream.getTracks()) track.onended = onEnd; // pulled out, or taken away
  try {
    await video.play();
  } catch (error) {
    stop();
    throw new Error(`The camera did not start: ${error.message}`);
  }
  let last = -1;
  const isNew = () => {
    const time = video.currentTime;
    const changed = time !== last;
    last = time;
    return changed;
  };
  return {
    kind: "camera",
    deviceId: stream.getVideoTracks()[0].getSettings().deviceId,
    picture: video,
    get width() { return video.videoWidth; }, // a phone may be turned
    get height() { return video.videoHeight; },
    isNew,
    still: () => takeStill(stream.getVideoTracks()[0], video),
    stop,
  };
}

// Take a photo. Many cameras give it more pixels than a moving picture has, where the browser can
// ask for them; else it is what the video shows.
async function takeStill(track, video) {
  const late = new Promise((resolve) => setTimeout(resolve, STILL, null));
  try {
    const blob = await Promise.race([new ImageCapture(track).takePhoto(), late]);
    return await createImageBitmap(blob ?? video);
  } catch {
    return createImageBitmap(video);
  }
}

// Photos, one after another, over which the view wanders.
function openSample(photos) {
  const { width, height, seconds } = SAMPLE;
  const picture = blank(width, height);
  const pen = picture.getContext("2d");
  const begun = performance.now();
  const isNew = () => {
    const time = (performance.now() - begun) / 1000;
    const photo = photos[Math.floor(time / seconds) % photos.length];
    const angle = (2 * Math.PI * time) / seconds;
    const scale = 1.15 * Math.max(width / photo.width, height / photo.height);
    const [wide, high] = [photo.width * scale, photo.height * scale];
    const left = ((width - wide) / 2) * (1 + 0.9 * Math.sin(angle));
    const top = (height - high) * (0.2 - 0.2 * Math.cos(angle)); // heads are in the upper part
    pen.drawImage(photo, left, top, wide, high);
    return true;
  };
  isNew();
  return { kind: "sample", picture, width, height, isNew, still: () => createImageBitmap(picture), stop() {} };
}

// Record what is drawn on `canvas`; `finish()` resolves to the clip. Chromium keeps transparency.
const RECORDINGS = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"];

function recordCanvas(canvas) {
  const mimeType = globalThis.MediaRecorder && RECORDINGS.find((each) => MediaRecorder.isTypeSupported(each));
  if (!mimeType) throw new Error("This browser cannot record. Chrome, Edge, Firefox and Safari can.");
  const stream = canvas.captureStream(30);
  const recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: 8_000_000 });
  const pieces = [];
  recorder.ondataavailable = (event) => pieces.push(event.data);
  const ended = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start(1000);
  return {
    begun: performance.now(),
    async finish() {
      if (recorder.state !== "inactive") recorder.stop();
      await ended;
      for (const track of stream.getTracks()) track.stop();
      return new Blob(pieces, { type: mimeType.split(";")[0] });
    },
  };
}
