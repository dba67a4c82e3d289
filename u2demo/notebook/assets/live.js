// The live page: camera -> small frames to the kernel, masks back, and the picture drawn from both.
// One frame is on its way at a time; the kernel looks at the newest. `channel` is how this page talks
// to the kernel: `send(message, bytes)`, and `onmessage(message, bytes)`, which is set here.

const SMALL = 480; // pixels; longer side of the frames that are sent
const EFFECTS = {
  cutout: "Cut out", color: "Color", photo: "Photo behind", blur: "Blur", box: "Box", highlight: "Highlight",
};
const AGAIN = 1000; // milliseconds; a frame without an answer is replaced by a new one
const GIVE_UP = 12; // times its patience, after which the page turns the camera off
const SAMPLE_ENDS = 20; // seconds
const PIECE_SIZE = 512 * 1024; // bytes
const MESSAGE_SIZE = 9e6; // bytes; a Jupyter server drops messages over 10 MiB
const QUALITIES = [0.95, 0.8, 0.5]; // of a photo for the kernel: the first that fits in a message
const PIECE_PATIENCE = 20; // seconds
const LAST_PATIENCE = 180; // the file is saved then: a person may first have to allow it
const PHOTO_PATIENCE = 180;
// Milliseconds that pictures wait for a mask. If masks take longer, only pictures with one are shown.
const LATEST = 400;
// Milliseconds. Where masks take longer, advice is shown, until they take less.
const SLOW = 250;
const QUICK = 200;
const FRAME = 1000 / 30; // milliseconds
const EARLY = 4; // milliseconds by which a picture may be painted early

const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
const encode = (canvas, type, quality) => new Promise((resolve) => { canvas.toBlob(resolve, type, quality); });

function make(tag, className, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), { className, ...properties });
  element.append(...children);
  return element;
}

function button(text, onclick, className = "") {
  return make("button", `u2-button ${className}`, { type: "button", textContent: text, onclick });
}

function tick(text, checked, onchange) {
  const box = make("input", "", { type: "checkbox", checked, onchange: () => onchange(box.checked) });
  return make("label", "u2-tick", {}, box, text);
}

function layOut(keep, advice) {
  const view = {
    start: button("Start camera", null, "u2-primary"),
    stop: button("Stop"),
    sample: button("Play the sample"),
    cameras: make("select", "u2-cameras", { hidden: true }),
    ticks: make("div", "u2-row u2-ticks"),
    effects: make("div", "u2-row u2-effects"),
    color: make("input", "u2-color", { type: "color", value: "#ffffff", hidden: true }),
    scene: button("Choose background"),
    file: make("input", "u2-file", { type: "file", accept: "image/*" }),
    source: make("div", "u2-source u2-away"),
    canvas: make("canvas", "u2-canvas", { width: 960, height: 540 }),
    figures: make("span", "u2-figures"), // an output would be read out twice a second
    advice: make("p", "u2-hint", { hidden: true, textContent: advice }),
    say: make("div", "u2-say"),
    photo: button("Photo"),
    record: button("Record"),
    taken: make("div", "u2-taken"),
    privacy: make("p", "u2-hint", { textContent:
      "The camera's picture stays in this page: only small frames, the photos you take and what you save go " +
      "to the kernel, which answers with masks and keeps no frame." }),
  };
  view.cameras.setAttribute("aria-label", "Camera");
  view.color.setAttribute("aria-label", "Background color");
  view.canvas.setAttribute("role", "img");
  view.canvas.setAttribute("aria-label", "The live picture");
  view.effects.setAttribute("role", "group");
  view.effects.setAttribute("aria-label", "Effect");
  view.say.setAttribute("role", "status");
  view.scene.hidden = true;
  view.top = make("div", "u2-row", {}, view.start, view.stop, view.sample, view.cameras, view.ticks);
  view.below = make("div", "u2-row", {}, view.photo, view.record, view.figures);
  const options = make("div", "u2-row u2-options", {}, view.color, view.scene, view.file);
  const choices = make("div", "u2-row", {}, view.effects, options);
  const stage = make("div", "u2-stage", {}, view.source, view.canvas);
  view.root = make("div", "u2-app u2-live", {}, view.top, choices, view.say, stage, view.below,
    view.advice, view.taken, view.privacy);
  view.keep = keep;
  return view;
}

const GIVEN_UP = new Error("Given up.");

// Messages that wait for an answer of the same kind and number.
function correspondence(channel) {
  const waiting = new Map();
  const key = ({ kind, number }) => `${kind} ${number}`;
  return {
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
  };
}

// How many masks came in the last two seconds, and how old they were.
function meter() {
  let laps = [];
  return {
    add: (delay) => laps.push({ at: performance.now(), delay }),
    clear() { laps = []; },
    read() {
      laps = laps.filter(({ at }) => performance.now() - at < 2000);
      const delays = laps.map(({ delay }) => delay).sort((one, other) => one - other);
      return { rate: laps.length / 2, delay: delays[Math.floor(delays.length / 2)] };
    },
  };
}

// The pictures of the last moments: a mask takes a while, and fits the picture that it was made from.
function delayLine() {
  const pictures = []; // the oldest first, each {canvas, time}
  return {
    // Take a picture of `time`; return the one that was taken `delay` milliseconds before.
    pass({ picture, width, height }, mirror, time, delay) {
      const isFull = pictures.length > LATEST / FRAME;
      const { canvas } = isFull ? pictures.shift() : { canvas: blank(width, height) };
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      pictures.push({ canvas: fill(canvas, picture, mirror), time });
      const due = time - Math.min(delay, LATEST);
      return pictures.findLast((each) => each.time <= due)?.canvas ?? pictures[0].canvas;
    },
    newest: () => pictures.at(-1),
  };
}

function openLive(host, channel, { samples, keep, patience, advice, done }) {
  const view = layOut(keep, advice);
  const look = { effect: "cutout", color: view.color.value, scene: null, mirror: true };
  const letters = correspondence(channel);
  const masks = meter();
  const small = blank(1, 1);
  const sent = new Map(); // when each frame was taken, and its picture if masks are slow
  let number = Math.floor(Math.random() * 1e9); // of messages; other views of this page have others
  let turn = 0; // changes with every start and stop
  let stage = null; // what is shown: where it comes from, its mask, and when what happened
  let resume = null; // how to go on when the page is seen again
  let recording = null;
  const saving = new Set(); // files on their way
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
      const { canvas, time: taken } = newest;
      const still = own.delay > LATEST ? fill(blank(canvas.width, canvas.height), canvas, false) : null;
      number += 1;
      sent.set(number, { taken, still });
      channel.send({ kind: "frame", number, time: taken / 1000 }, bytes);
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
      masks.add(performance.now() - frame.taken);
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
      const seconds = Math.floor((performance.now() - recording.begun) / 1000);
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
    if (own.silent || own.isStill) return;
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
      addTile(await encode(canvas, "image/png"), "png", message.text);
      if (stage === own) say("");
    } finally {
      own.isStill = false;
    }
  }

  async function askForCutout(picture) {
    const blob = await asMessage(picture);
    number += 1;
    return letters.ask({ kind: "photo", number }, await blob.arrayBuffer(), PHOTO_PATIENCE);
  }

  async function asMessage(picture) {
    let blob;
    for (const quality of QUALITIES) {
      blob = await encode(picture, "image/jpeg", quality);
      if (blob.size <= MESSAGE_SIZE) break;
    }
    return blob;
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
    if (blob.size) addTile(blob, blob.type === "video/mp4" ? "mp4" : "webm");
    pauseOrResume();
  }

  function addTile(blob, suffix, text = "") {
    const stamp = new Date(Date.now() - 60_000 * new Date().getTimezoneOffset()).toISOString();
    const name = `live ${stamp.slice(0, 19).replace("T", " ").replaceAll(":", "-")}.${suffix}`;
    const url = URL.createObjectURL(blob);
    const shown = suffix === "png"
      ? make("img", "", { src: url, alt: name })
      : make("video", "", { src: url, controls: true, loop: true, muted: true, playsInline: true });
    const link = make("a", "u2-button", { href: url, download: name, textContent: "Download" });
    const markSaved = () => tile.classList.remove("u2-unsaved");
    link.onclick = markSaved;
    const note = make("span", "u2-kept", { textContent: text });
    const save = button(`Save to ${view.keep}`, async () => {
      save.disabled = true;
      note.textContent = "Saving…";
      const sending = send(blob, name);
      saving.add(sending);
      try {
        note.textContent = await sending;
        markSaved();
      } catch (error) {
        note.textContent = `Not saved: ${error.message}`;
        save.disabled = false;
      }
      saving.delete(sending);
    }, "u2-save");
    const remove = button("×", () => {
      URL.revokeObjectURL(url);
      tile.remove();
    }, "u2-remove");
    remove.setAttribute("aria-label", `Remove ${name}`);
    const tile = make("div", "u2-take u2-unsaved", {}, shown, make("span", "u2-name", { textContent: name }),
      make("div", "u2-row", {}, link, save, remove), note);
    view.taken.prepend(tile);
  }

  // Send a file in pieces, each after the receipt of the one before; return where it is.
  async function send(blob, name) {
    number += 1;
    const file = number;
    for (let offset = 0; ; offset += PIECE_SIZE) {
      const bytes = await blob.slice(offset, offset + PIECE_SIZE).arrayBuffer();
      const last = offset + PIECE_SIZE >= blob.size;
      const asked = { kind: "piece", number: file, name, first: offset === 0, last };
      const { message } = await letters.ask(asked, bytes, last ? LAST_PATIENCE : PIECE_PATIENCE);
      if (message.problem) throw new Error(message.problem);
      if (last) return message.text;
    }
  }

  // Stop, and be done once a recording is there to keep, and files on their way are saved.
  async function leave() {
    await finishRecording();
    stop();
    await Promise.allSettled(saving);
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
