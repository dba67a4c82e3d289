// How fast masks come, and which picture a mask fits.

const FRAME = 1000 / 30; // milliseconds
// Milliseconds that pictures wait for a mask. If masks take longer, only pictures with one are shown.
const LATEST = 400;

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
