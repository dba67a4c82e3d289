// The live page: camera -> small frames to the kernel, masks back, and the picture drawn from both.
// One frame is on its way at a time; the kernel looks at the newest. `channel` is how this page talks
// to the kernel: `send(message, bytes)`, and `onmessage(message, bytes)`, which is set here.

const SMALL = 480; // pixels; longer side of the frames that are sent
const AGAIN = 1000; // milliseconds; a frame without an answer is replaced by a new one
const GIVE_UP = 12; // times its patience, after which the page turns the camera off
const SAMPLE_ENDS = 20; // seconds
const PHOTO_PATIENCE = 180; // seconds
// Milliseconds. Where masks take longer, advice is shown, until they take less.
const SLOW = 250;
const QUICK = 200;
const EARLY = 4; // milliseconds by which a picture may be painted early

const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

function openLive(host, channel, { samples, keep, patience, advice, done }) {
  const view = layOut(advice);
  const look = { effect: "cutout", color: view.color.value, scene: null, mirror: true };
  const letters = correspondence(channel);
  const taken = keepTaken(view.taken, keep, letters.sendFile);
  const masks = meter();
  const small = blank(1, 1);
  const sent = new Map(); // when each frame was taken, and its picture if masks are slow
  let turn = 0; // changes with every start and stop
  let stage = null; // what is shown: where it comes from, its mask, and when what happened
  let resume = null; // how to go on when the page is seen again
  let recording = null;
  let arrived = () => {};
  let isInView = true;

  function say(text, kind = "") {
    view.say.textContent = text;
    view.say.className = text ? `u2-say u2-note ${kind && `u2-${kind}`}` : "u2-say";
    view.say.setAttribute("role", kind === "problem" ? "alert" : "status");
  }

  // Start and stop

  async function start(open) {
    stop();
    turn += 1;
    const mine = turn;
    say("");
    view.start.disabled = true;
    let source;
    try {
      source = await open();
    } catch (error) {
      if (mine === turn) {
        view.start.disabled = false;
        say(error.message, "problem");
      }
      return;
    }
    if (mine !== turn) { // stopped, or closed, while the browser asked
      source.stop();
      return;
    }
    stage = {
      source, open, mask: null, around: blank(source.width, source.height), box: null, still: null,
      delay: 0, line: delayLine(),
      begun: Infinity, heard: performance.now(), due: 0,
    };
    view.source.replaceChildren(source.picture);
    arrange();
    draw(stage);
    follow(stage);
    if (source.kind === "camera") listCameras();
    pauseOrResume();
  }

  // All ends, and a photo that the kernel is looking at is given up.
  function stop(text = "", kind = "") {
    if (stage) {
      channel.send({ kind: "stop" });
      letters.drop("photo");
    }
    turnOff(text, kind);
  }

  // The picture ends; a photo that the kernel is looking at still comes.
  function turnOff(text, kind = "") {
    turn += 1;
    resume = null;
    finishRecording();
    stage?.source.stop();
    stage = null;
    view.source.replaceChildren();
    sent.clear();
    masks.clear();
    arrived();
    say(text, kind);
    arrange();
  }

  const camera = () => openLiveCamera(view.cameras.value, () => {
    stop("The camera was disconnected. Connect it or choose another one, then press Start camera.", "problem");
  });
  const sample = () => openSample(samples);

  function arrange() {
    view.start.disabled = false;
    view.start.hidden = stage?.source.kind === "camera";
    view.sample.hidden = stage !== null;
    view.stop.hidden = stage === null;
    view.photo.disabled = stage === null;
    view.record.disabled = stage === null;
    view.color.hidden = look.effect !== "color";
    view.scene.hidden = look.effect !== "photo";
    view.root.classList.toggle("u2-mirrored", look.mirror);
    for (const each of view.effects.children) each.setAttribute("aria-pressed", String(each.value === look.effect));
    if (!stage) view.figures.textContent = "";
  }

  async function listCameras() {
    const cameras = await findCameras();
    const option = ({ deviceId, label }) => make("option", "", { value: deviceId, textContent: label });
    const wanted = [stage?.source.deviceId, view.cameras.value]; // the one in use, or chosen before
    const found = cameras.find(({ deviceId }) => wanted.includes(deviceId)) ?? cameras[0];
    view.cameras.replaceChildren(...cameras.map(option));
    view.cameras.value = found?.deviceId ?? "";
    view.cameras.hidden = cameras.length < 2;
  }

  // The picture is live only while it can be seen: the camera's light says so.
  function pauseOrResume() {
    const isSeen = !document.hidden && (isInView || recording !== null);
    if (!isSeen && stage) {
      const { open } = stage;
      turnOff("Paused while it is out of sight.");
      resume = open;
    } else if (isSeen && resume) {
      start(resume);
    }
  }

  // Frames out, masks in

  // All that goes further is mirrored if that is wanted: frames, and so masks, pictures, photos.
  const copy = ({ picture, width, height }) => fill(blank(width, height), picture, look.mirror);

  function shrink({ width, height }, picture) {
    const scale = Math.min(1, SMALL / Math.max(width, height));
    small.width = Math.max(1, Math.round(width * scale));
    small.height = Math.max(1, Math.round(height * scale));
    return encodeJpeg(fill(small, picture, false), 0.8);
  }

  async function follow(own) {
    while (stage === own) {
      const newest = own.line.newest();
      const bytes = newest ? shrink(own.source, newest.canvas) : [];
      if (!bytes.length) { // nothing is painted yet, or the page is short of memory
        await pause(FRAME);
        continue;
      }
      const { canvas, time } = newest;
      const still = own.delay > LATEST ? fill(blank(canvas.width, canvas.height), canvas, false) : null;
      const number = letters.nextNumber();
      sent.set(number, { time, still });
      channel.send({ kind: "frame", number, time: time / 1000 }, bytes);
      const answered = new Promise((resolve) => { arrived = resolve; });
      await Promise.all([Promise.race([answered, pause(AGAIN)]), pause(FRAME)]);
    }
  }

  const answers = {
    receipt({ doing }) {
      if (stage && !stage.mask && doing) say(doing);
    },
    async mask(message, bytes) {
      const own = stage;
      const frame = sent.get(message.number);
      if (!own || !frame) return;
      for (const each of sent.keys()) if (each <= message.number) sent.delete(each);
      if (!sent.size) arrived(); // the next frame goes while this mask is decoded
      const mask = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      if (own !== stage) return;
      if (!own.mask) {
        own.begun = performance.now();
        say("");
      }
      own.mask?.close();
      fillAround(own.around, mask);
      Object.assign(own, { mask, box: message.box, still: frame.still });
      masks.add(performance.now() - frame.time);
      own.delay = masks.read().delay;
    },
    problem({ text }) {
      stop(text, "problem");
    },
  };

  channel.onmessage = (message, bytes) => {
    if (stage) {
      if (stage.silent) say("");
      Object.assign(stage, { heard: performance.now(), silent: false });
    }
    const react = answers[message.kind] ?? letters.answer;
    react(message, bytes);
  };

  // What helps when the kernel is gone. A new page does not have what was taken in this one.
  function advise() {
    const first = view.taken.hasChildNodes() ? "download what you want to keep, then " : "";
    return first + (document.body.dataset.voila ? "reload the page." : "run this cell again.");
  }

  // Twice a second: what is shown small, and whether the kernel is still there.
  const watch = setInterval(() => {
    if (!stage) return;
    const { rate, delay } = masks.read();
    const size = `${stage.source.width}×${stage.source.height}`;
    view.figures.textContent = rate
      ? `${rate.toFixed(rate < 10 ? 1 : 0)} masks/s, ${delay.toFixed(0)} ms, ${size}` : size;
    if (delay > SLOW) view.advice.hidden = !advice;
    if (delay < QUICK) view.advice.hidden = true;
    if (recording) {
      const seconds = Math.floor(recording.seconds());
      const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      view.record.textContent = `Stop recording ${clock}`;
    }
    const silence = (performance.now() - stage.heard) / 1000;
    if (silence > GIVE_UP * patience) {
      stop("The kernel has not answered for so long that the camera is off. If it was restarted or has " +
        `stopped, ${advise()}`, "problem");
    } else if (silence > patience) {
      stage.silent = true;
      say("The kernel does not answer. If it is busy with other work, the picture goes on when that ends; " +
        `if it was restarted or has stopped, ${advise()}`, "problem");
    } else if (stage.source.kind === "sample" && performance.now() - stage.begun > 1000 * SAMPLE_ENDS) {
      if (!recording && !stage.isStill) stop("That was the sample. Press Start camera to see yourself.");
    }
  }, 500);

  function draw(own) {
    if (stage !== own) return;
    requestAnimationFrame(() => draw(own));
    const now = performance.now();
    if (now < own.due - EARLY || !own.source.isNew()) return;
    own.due = Math.max(own.due + FRAME, now); // one that comes late does not delay the next one
    const { source, mask, around, box, line, delay, still } = own;
    const passed = line.pass(source, look.mirror, now, delay);
    if (own.silent || own.isStill) { // a clip leaves out where the picture stands still
      recording?.pause();
      return;
    }
    recording?.resume();
    if (view.canvas.width !== source.width || view.canvas.height !== source.height) {
      if (recording) {
        finishRecording(); // a clip has one shape
        say("The camera's picture has another shape now, so the recording has ended.");
      }
      Object.assign(view.canvas, { width: source.width, height: source.height });
    }
    paint(view.canvas, { picture: still ?? passed, mask, around, box }, look);
    view.canvas.dataset.painted = String(Number(view.canvas.dataset.painted ?? 0) + 1);
  }

  // Pictures and recordings to keep

  async function takePhoto() {
    const own = stage;
    const wanted = { ...look };
    own.isStill = true;
    say("Looking closely at the photo. The live picture goes on after that.");
    try {
      const still = await own.source.still().catch((error) => {
        if (stage === own) throw error; // else the camera is off
      });
      if (stage !== own) return;
      const { width, height } = still;
      const picture = copy({ picture: still, width, height });
      const { message, bytes } = await askForCutout(picture);
      const mask = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const canvas = blank(width, height);
      paint(canvas, { picture, mask, box: message.box, clean: true }, wanted);
      taken.add(await encode(canvas, "image/png"), "png", message.text);
      if (stage === own) say("");
    } finally {
      own.isStill = false;
    }
  }

  async function askForCutout(picture) {
    const blob = await encodeForMessage(picture);
    const asked = { kind: "photo", number: letters.nextNumber() };
    return letters.ask(asked, await blob.arrayBuffer(), PHOTO_PATIENCE);
  }

  function toggleRecording() {
    if (recording) return finishRecording();
    recording = recordCanvas(view.canvas);
    view.record.textContent = "Stop recording 0:00";
    view.record.classList.add("u2-recording", "u2-unsaved");
  }

  async function finishRecording() {
    if (!recording) return;
    const finished = recording;
    recording = null;
    view.record.textContent = "Record";
    view.record.classList.remove("u2-recording", "u2-unsaved");
    const blob = await finished.finish();
    if (blob.size) taken.add(blob, blob.type === "video/mp4" ? "mp4" : "webm");
    pauseOrResume();
  }

  // Stop, and be done once a recording is there to keep, and files on their way are saved.
  async function leave() {
    await finishRecording();
    stop();
    await taken.saved();
    done();
  }

  async function chooseScene() {
    const [file] = view.file.files;
    view.file.value = "";
    if (!file) return;
    try {
      look.scene = await createImageBitmap(file);
      say("");
    } catch {
      say(`${file.name} is not a picture that this browser can read. Choose another one.`, "problem");
    }
  }

  const guarded = (action) => async () => {
    try {
      await action();
    } catch (error) {
      if (error !== GIVEN_UP) say(error.message, "problem");
    }
  };
  // A button that hides when it is pressed would take the keyboard's place on the page with it.
  const keepingFocus = (action) => async () => {
    await action();
    const next = view.stop.hidden ? view.start : view.stop;
    if (document.activeElement === document.body) next.focus({ preventScroll: true });
  };
  view.start.onclick = keepingFocus(() => start(camera));
  view.sample.onclick = keepingFocus(() => start(sample));
  view.stop.onclick = keepingFocus(() => stop());
  view.photo.onclick = async () => {
    view.photo.disabled = true;
    await guarded(takePhoto)();
    view.photo.disabled = stage === null;
  };
  view.record.onclick = guarded(toggleRecording);
  view.cameras.onchange = () => stage?.source.kind === "camera" && start(camera);
  view.color.oninput = () => { look.color = view.color.value; };
  view.scene.onclick = () => view.file.click();
  view.file.onchange = chooseScene;
  for (const [effect, text] of Object.entries(EFFECTS)) {
    const choose = button(text, () => {
      look.effect = effect;
      arrange();
    }, "u2-effect");
    choose.value = effect;
    view.effects.append(choose);
  }
  view.ticks.append(
    tick("Mirror", look.mirror, (on) => {
      look.mirror = on;
      arrange();
    }),
    tick("Side by side", false, (on) => view.source.classList.toggle("u2-away", !on)),
  );
  if (done) view.top.append(button("Done", leave));

  const watcher = new IntersectionObserver((changes) => { // a busy page hears of several at once
    isInView = changes.at(-1).isIntersecting;
    pauseOrResume();
  });
  const askBeforeLeaving = (event) => { // Voila's page asks for all that is u2-unsaved
    if (!document.body.dataset.voila && view.root.querySelector(".u2-unsaved")) event.preventDefault();
  };
  window.addEventListener("beforeunload", askBeforeLeaving);
  document.addEventListener("visibilitychange", pauseOrResume);
  navigator.mediaDevices?.addEventListener?.("devicechange", listCameras);
  host.append(view.root);
  const endAssistance = assistAround(view.root);
  watcher.observe(view.canvas);
  arrange();
  if (samples.length) start(sample);
  return () => {
    const leaves = done && (recording || view.taken.hasChildNodes()); // what can still be downloaded
    stop();
    clearInterval(watch);
    endAssistance();
    watcher.disconnect();
    window.removeEventListener("beforeunload", askBeforeLeaving);
    document.removeEventListener("visibilitychange", pauseOrResume);
    navigator.mediaDevices?.removeEventListener?.("devicechange", listCameras);
    if (leaves) view.root.replaceChildren(view.taken);
    else view.root.remove();
    view.root.classList.add("u2-ended");
  };
}
