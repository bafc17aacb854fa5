// Files go up as soon as they are chosen, each by itself, with how far it is and a small picture of it. What failed can be
// tried again. Without this script they go up with the form.
"use strict";

const english = document.documentElement.lang === "en";
const say = (zh, en) => (english ? en : zh);

function row(list, file) {
  const item = document.createElement("li");
  if (file.type.startsWith("image/") && file.size < 30e6) {
    const picture = document.createElement("img");
    picture.alt = "";
    const reader = new FileReader();
    reader.addEventListener("load", () => { picture.src = reader.result; });
    reader.readAsDataURL(file);
    item.append(picture);
  }
  const name = document.createElement("span");
  name.textContent = file.name;
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", say("上传进度：", "uploaded: ") + file.name);
  const word = document.createElement("span");
  item.append(name, bar, word);
  list.append(item);
  return { item, bar, word };
}

function send(form, field, file, shown) {
  const body = new FormData();
  body.append("csrf", form.elements.csrf.value);
  body.append("_upload", "1");
  body.append("_files:" + field, file);
  const call = new XMLHttpRequest();
  call.open("POST", form.dataset.uploadTo);
  call.setRequestHeader("Accept", "application/json");
  call.responseType = "json";
  call.upload.addEventListener("progress", (event) => { if (event.lengthComputable) shown.bar.value = event.loaded / event.total; });
  return new Promise((resolve) => {
    const failed = (why) => {
      shown.bar.remove();
      shown.word.textContent = why;
      shown.word.className = "due-over";
      const again = document.createElement("button");
      again.type = "button";
      again.className = "btn btn-sm";
      again.textContent = say("重试", "Try again");
      again.addEventListener("click", () => { shown.item.remove(); take(form, field, [file]); });
      shown.item.append(again);
      resolve(false);
    };
    call.addEventListener("error", () => failed(say("上传失败，请检查网络。", "Not uploaded; check the network.")));
    call.addEventListener("load", () => {
      const answer = call.response;
      if (call.status === 200 && answer && answer.files) {
        shown.bar.value = 1;
        shown.word.textContent = say("已上传", "uploaded");
        form.elements._uploads.value = Number(form.elements._uploads.value) + answer.files.length;
        for (const one of answer.files) tick(form, field, one);
        resolve(true);
      } else failed((answer && answer.why) || say("上传失败。", "Not uploaded."));
    });
    call.send(body);
  });
}

function tick(form, field, file) {
  for (const boxes of form.querySelectorAll("[data-boxes]")) {
    if (!boxes.parentElement.querySelector("[data-upload]")) continue;
    const label = document.createElement("label");
    label.className = "form-check";
    const box = document.createElement("input");
    Object.assign(box, { type: "checkbox", className: "form-check-input", name: boxes.dataset.boxes, value: file.id, checked: boxes.dataset.boxes === field });
    const words = document.createElement("span");
    words.className = "form-check-label";
    words.textContent = file.name;
    label.append(box, words);
    boxes.append(label);
  }
}

async function take(form, field, files) {
  const list = [...form.querySelectorAll("[data-upload]")].find((one) => one.dataset.upload === field).querySelector(".uploads");
  let fine = true;
  for (const file of files) fine = (await send(form, field, file, row(list, file))) && fine;
  if (fine && field === "") { form.dataset.sent = ""; window.location.assign(form.dataset.uploadTo.replace(/\/actions\/.*/, "?done=acted.attach#files")); }
}

for (const form of document.querySelectorAll("form[data-upload-to]")) {
  for (const input of form.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      const files = [...input.files];
      input.value = "";
      input.required = false;
      take(form, input.closest("[data-upload]").dataset.upload, files);
    });
  }
}
