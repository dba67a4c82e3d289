// Take one photo with the camera. The same function serves JupyterLab and Voila (through photo_picker.js)
// and Google Colab (through eval_js): it draws into `host`, resolves to a JPEG blob, or to null when
// the person cancels, and rejects with one readable sentence.

const CAMERA_REFUSALS = {
  NotAllowedError: "The browser refused the camera. Allow it in the address bar, then try again.",
  NotFoundError: "No camera was found on this computer.",
  OverconstrainedError: "This camera is no longer there. Choose another one.",
  NotReadableError: "The camera is busy in another program. Close that one, then try again.",
};

async function openCamera(video = { width: { ideal: 1920 } }) {
  if (!navigator.mediaDevices) {
    throw new Error("The camera needs a secure page: https, or http://localhost.");
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ video });
  } catch (error) {
    throw new Error(CAMERA_REFUSALS[error.name] ?? `The camera did not start: ${error.message}`);
  }
}

// The cameras that may be used, [{deviceId, label}]; each has a label to show.
async function findCameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const cameras = devices.filter(({ kind, deviceId }) => kind === "videoinput" && deviceId);
  return cameras.map(({ deviceId, label }, index) => ({ deviceId, label: label || `Camera ${index + 1}` }));
}

function makeCameraPanel() {
  const panel = make("div", "u2-camera");
  const video = make("video", "", { muted: true, autoplay: true, playsInline: true });
  const shoot = make("button", "u2-button u2-primary", { type: "button", textContent: "Capture" });
  const cancel = make("button", "u2-button", { type: "button", textContent: "Cancel" });
  const cameras = make("select", "u2-cameras", { hidden: true });
  Object.assign(video.style, { maxWidth: "100%", maxHeight: "420px" }); // Colab has no style sheet
  panel.setAttribute("role", "group");
  panel.setAttribute("aria-label", "Camera");
  video.setAttribute("aria-label", "Live picture of the camera");
  cameras.setAttribute("aria-label", "Which camera");
  panel.append(video, make("div", "u2-row", {}, shoot, cancel, cameras));
  return { panel, video, shoot, cancel, cameras };
}

async function takePhoto(host) {
  const view = makeCameraPanel();
  let stream;
  const close = () => stream?.getTracks().forEach((track) => track.stop());
  const open = async (video) => {
    close();
    stream = await openCamera(video);
    const { deviceId, facingMode } = stream.getVideoTracks()[0].getSettings();
    // As in a mirror, unless the camera looks away from the person. The photo is as others see it.
    view.video.style.transform = facingMode === "environment" ? "" : "scaleX(-1)";
    view.video.srcObject = stream;
    if (!view.panel.isConnected) host.append(view.panel);
    await view.video.play();
    return deviceId;
  };
  try {
    const first = await open();
    const found = await findCameras();
    view.cameras.append(...found.map(({ deviceId, label }) => new Option(label, deviceId)));
    view.cameras.value = first;
    view.cameras.hidden = found.length < 2;
    view.shoot.focus();
    const pressed = await new Promise((resolve, reject) => {
      view.shoot.onclick = () => resolve("shoot");
      view.cancel.onclick = () => resolve("cancel");
      view.cameras.onchange = () => open({ deviceId: { exact: view.cameras.value } }).catch(reject);
      view.panel.onkeydown = ({ key }) => { // with braces: false would keep all other keys from their work
        if (key === "Escape") resolve("cancel");
      };
    });
    if (pressed === "cancel") return null;
    const canvas = document.createElement("canvas");
    canvas.width = view.video.videoWidth;
    canvas.height = view.video.videoHeight;
    canvas.getContext("2d").drawImage(view.video, 0, 0);
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  } finally {
    close();
    view.panel.remove();
  }
}
