// What the live picture comes from: a camera, or photos over which the view wanders. `picture` is what
// to draw, `isNew()` says whether it has changed since the last call, `still()` resolves to a photo,
// and `stop()` ends it, and turns a camera's light off.

const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const STILL = 3000; // milliseconds that a camera may take for a photo
const SAMPLE = { width: 720, height: 540, seconds: 6 }; // for each photo

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
