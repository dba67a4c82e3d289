// The live page's elements, and where they are.

const EFFECTS = {
  cutout: "Cut out", color: "Color", photo: "Photo behind", blur: "Blur", box: "Box", highlight: "Highlight",
};

function button(text, onclick, className = "") {
  return make("button", `u2-button ${className}`, { type: "button", textContent: text, onclick });
}

function tick(text, checked, onchange) {
  const box = make("input", "", { type: "checkbox", checked, onchange: () => onchange(box.checked) });
  return make("label", "u2-tick", {}, box, text);
}

function layOut(advice) {
  const view = {
    start: button("Start camera", null, "u2-primary"),
    stop: button("Stop"),
    sample: button("Play the sample"),
    cameras: make("select", "u2-cameras", { hidden: true }),
    ticks: make("div", "u2-row"),
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
      "to the program behind it, which answers with masks and keeps no frame." }),
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
  const options = make("div", "u2-options", {}, view.color, view.scene, view.file);
  const choices = make("div", "u2-row u2-choices", {}, view.effects, options);
  const stage = make("div", "u2-stage", {}, view.source, view.canvas, view.say);
  view.root = make("div", "u2-app u2-live", {}, view.top, choices, stage, view.below, view.advice,
    view.taken, view.privacy);
  return view;
}
