// What has to be said once: the outcome of a button, and what changed, for those who do not see it.

import { button, h } from "../dom.js";
import { say } from "../words.js";

/** Show a message until it is closed; `bad` ones are read out at once. */
export function notice(place, title, text, bad = true) {
    const close = () => box.remove();
    const box = h("div", { class: `alert ${bad ? "danger" : "success"}`, role: bad ? "alert" : "status" },
        h("div", {}, h("strong", {}, title), text ? h("p", {}, text) : null),
        button("close", "×", "plain", close, { "aria-label": say("Close") }));
    place.replaceChildren(box);
}

/** Have a screen reader say a sentence, if it is a new one. */
export function announce(text) {
    const said = document.getElementById("said");
    if (said.textContent !== text)
        said.textContent = text;
}
