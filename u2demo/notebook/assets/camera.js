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

async function takePhoto(host) {
  const stream = await openCamera();
  const video = Object.assign(document.createElement("video"), {
    srcObject: stream, muted: true, autoplay: true, playsInline: true,
  });
  const shoot = Object.assign(document.createElement("button"), {
    type: "button", textContent: "Capture", className: "u2-button u2-primary",
  });
  const cancel = Object.assign(document.createElement("button"), {
    type: "button", textContent: "Cancel", className: "u2-button",
  });
  const panel = Object.assign(document.createElement("div"), { className: "u2-camera" });
  const row = Object.assign(document.createElement("div"), { className: "u2-row" });
  Object.assign(video.style, { maxWidth: "100%", maxHeight: "420px" }); // Colab has no style sheet
  video.setAttribute("aria-label", "Live picture of the camera");
  row.append(shoot, cancel);
  panel.append(video, row);
  host.append(panel);
  try {
    await video.play();
    shoot.focus();
    const pressed = await new Promise((resolve) => {
      shoot.onclick = () => resolve("shoot");
      cancel.onclick = () => resolve("cancel");
      panel.onkeydown = (event) => event.key === "Escape" && resolve("cancel");
    });
    if (pressed === "cancel") return null;
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  } finally {
    for (const track of stream.getTracks()) track.stop();
    panel.remove();
  }
}
