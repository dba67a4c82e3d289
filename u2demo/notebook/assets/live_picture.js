// (picture, mask, effect) -> canvas, and a canvas -> an encoded picture.
// All is drawn here, so an effect changes with the next picture, and only photos leave the page in full.

const TINT = "#2f6bff"; // highlight's and box's colors are those of the library
const LINE = "#ff3b30";
const LINE_WIDTH = 0.005; // of the longer side
const STRENGTH = 0.45;
const SOFT = 160; // pixels; longer side of the small picture that is blurred
const BLUR = 3; // pixels of it

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

const encode = (canvas, type, quality) => new Promise((resolve) => { canvas.toBlob(resolve, type, quality); });

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
