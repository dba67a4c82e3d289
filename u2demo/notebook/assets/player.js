// Play clips side by side. Their bytes come from the kernel in pieces, because a page may be slow and a
// message must not be large; they play from memory, for a page may not read the kernel's disk.

const PATIENCE = 60_000; // milliseconds

function ask(model, key, start) {
  return new Promise((resolve, reject) => {
    const listen = (message, [piece]) => {
      if (message.key !== key || message.start !== start) return;
      end();
      resolve(piece);
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error("The kernel does not answer. If it has stopped, run the cells again."));
    }, PATIENCE);
    const end = () => {
      clearTimeout(timer);
      model.off("msg:custom", listen);
    };
    model.on("msg:custom", listen);
    model.send({ key, start });
  });
}

async function fetchClip(model, { key, type, size }) {
  const pieces = [];
  for (let start = 0; start < size; ) {
    const piece = await ask(model, key, start);
    if (!piece.byteLength) return null; // another clip has taken its place
    pieces.push(piece);
    start += piece.byteLength;
  }
  return new Blob(pieces, { type });
}

// The last video leads; the others follow it, without sound.
function follow(leader, videos) {
  const others = videos.filter((video) => video !== leader);
  const each = (act) => () => others.forEach(act);
  leader.onplay = each((video) => video.play().catch(() => {}));
  leader.onpause = each((video) => video.pause());
  leader.onseeked = each((video) => { video.currentTime = leader.currentTime; });
  leader.ontimeupdate = each((video) => {
    if (Math.abs(video.currentTime - leader.currentTime) > 0.15) video.currentTime = leader.currentTime;
  });
}

function makeVideo(clip) {
  const figure = document.createElement("figure");
  const video = Object.assign(document.createElement("video"), {
    loop: true, muted: true, playsInline: true, className: clip.type === "video/webm" ? "u2-clear" : "",
  });
  video.setAttribute("aria-label", clip.title);
  const caption = Object.assign(document.createElement("figcaption"), { textContent: clip.title });
  figure.append(caption, video);
  return { figure, video };
}

function render({ model, el }) {
  let urls = [];
  let shown = null; // the clips that are there, or on their way
  const forget = () => {
    shown = null;
    urls.forEach((url) => URL.revokeObjectURL(url));
    urls = [];
    el.replaceChildren();
  };
  const show = async () => {
    forget();
    const clips = model.get("clips");
    if (!clips.length) return;
    shown = clips;
    const made = clips.map(makeVideo);
    const videos = made.map(({ video }) => video);
    el.append(...made.map(({ figure }) => figure));
    try {
      for (const [index, clip] of clips.entries()) {
        const blob = await fetchClip(model, clip);
        if (!blob || shown !== clips) return;
        const url = URL.createObjectURL(blob);
        urls.push(url);
        videos[index].src = url;
      }
    } catch (error) {
      if (shown === clips) el.replaceChildren(error.message);
      return;
    }
    const leader = videos.at(-1);
    leader.controls = true;
    leader.onloadeddata = () => el.scrollIntoView({ block: "nearest", behavior: "smooth" });
    follow(leader, videos);
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) leader.play().catch(() => {});
  };
  model.on("change:clips", show);
  show();
  return () => {
    model.off("change:clips", show);
    forget();
  };
}

export default { render };
