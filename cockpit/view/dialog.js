// A question before something ends. The browser's own dialog keeps the focus inside, closes with
// Escape and gives the focus back.

import { button, h } from "../dom.js";
import { say } from "../words.js";

/** Ask; resolves to true if the answer is `confirm`. `texts`: paragraphs, or lists of items. */
export function ask({ title, texts, confirm, danger = false }) {
    return new Promise(resolve => {
        const close = answer => dialog.close(answer);
        const no = button("no", say("Cancel"), "secondary", () => close("no"));
        const yes = button("yes", confirm, danger ? "danger" : "primary", () => close("yes"));
        const dialog = h("dialog", { class: "dialog", "aria-labelledby": "dialog-title", "aria-describedby": "dialog-text" },
            h("h2", { id: "dialog-title" }, title),
            h("div", { id: "dialog-text" }, texts.map(body)),
            h("div", { class: "buttons" }, yes, no));
        dialog.addEventListener("close", () => {
            dialog.remove();
            resolve(dialog.returnValue === "yes");
        });
        document.body.append(dialog);
        dialog.showModal();
        // What cannot be undone is not one key away.
        (danger ? no : yes).focus();
    });
}

function body(text) {
    return Array.isArray(text) ? h("ul", {}, text.map(item => h("li", {}, item))) : h("p", {}, text);
}
