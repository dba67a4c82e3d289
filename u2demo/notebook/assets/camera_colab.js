// Run by Colab's eval_js after camera.js: answer with the photo as a data URL, null after a cancel.

const host = document.querySelector("#output-area") ?? document.body;
google.colab.output.setIframeHeight(document.documentElement.scrollHeight + 520, true);
const blob = await takePhoto(host);
if (!blob) return null;
const reader = new FileReader();
return await new Promise((resolve) => {
  reader.onload = () => resolve(reader.result);
  reader.readAsDataURL(blob);
});
