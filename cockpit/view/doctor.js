// What doctor found, what fails first, each with its remedy.

import { button, h } from "../dom.js";
import { say } from "../words.js";

/** Draws {found}, {failed} or {running}. `actions`: examine. */
export function drawDoctor(actions) {
    return ({ found, failed, running }) => [
        failed ? h("p", { class: "fault" }, failed) : null,
        found ? report(found) : null,
        running && !found ? h("p", { class: "dim" }, say("Looking at this PC…")) : null,
        h("div", { class: "buttons" },
            button("examine", found ? say("Check again") : say("Check this PC"), "secondary", actions.examine, { disabled: running })),
    ];
}

function report({ fail, warn, ok, notes }) {
    return [
        h("p", {}, summary(fail.length, warn.length)),
        h("ul", { class: "findings" }, [...fail, ...warn].map(finding)),
        ok.length === 0 ? null : h("details", { "data-key": "well" },
            h("summary", { "data-key": "well-summary" }, say("What is well ($0)", ok.length)),
            h("ul", { class: "findings" }, ok.map(finding))),
        notes.map(note => h("p", { class: "dim" }, note)),
    ];
}

function summary(fails, warnings) {
    if (fails)
        return say("Failed: $0, warnings: $1. Begin with the first that fails.", fails, warnings);
    return warnings ? say("Warnings: $0. A handoff can be tried.", warnings) : say("All is well.");
}

function finding({ level, fact, why, remedy, command, source }) {
    const label = { ok: say("ok"), warn: say("warning"), fail: say("fails") }[level] ?? level;
    return h("li", { class: `finding ${level}` },
        h("p", {}, h("span", { class: "label" }, label), " ", fact),
        why ? h("p", { class: "dim" }, why) : null,
        remedy ? h("p", {}, h("strong", {}, say("Do:")), " ", remedy) : null,
        command ? h("pre", {}, command) : null,
        source && source.startsWith("https://") ? h("p", {}, h("a", { href: source, target: "_blank", rel: "noopener noreferrer" }, source)) : null);
}
