// Who has the card: drawn, in words, and what can be done where it is stuck or nobody answers.

import { button, h, svg } from "../dom.js";
import { isMoving } from "../state.js";
import { say } from "../words.js";

/** The state in one sentence. */
export function sentence({ phase, guest, away }) {
    return {
        connecting: () => say("Asking vfiod…"),
        gone: () => say("vfiod does not answer."),
        host: () => away.length > 0 ? say("No handoff is under way. See below.") : say("The host has its display."),
        handoff: () => say("The card is on its way to $0.", guest),
        prepared: () => say("$0 has the card and is being started.", guest),
        guest: () => say("$0 has the card.", guest),
        return: () => say("The card is on its way back from $0.", guest),
        stuck: () => say("Stuck after $0: something could not be given back.", guest),
    }[phase]?.() ?? phase;
}

/** Draws a situation (see state.js). `actions`: retry, reset, restart. */
export function drawCard(actions) {
    return model => [
        picture(model),
        h("p", { class: "sentence", "data-phase": model.phase }, sentence(model), elapsed(model)),
        model.step ? h("p", { class: "step" }, h("span", { class: "spinner", "aria-hidden": "true" }), h("span", {}, model.step)) : null,
        model.faults.map(fault => h("p", { class: "fault" }, fault)),
        model.last && model.last.message ? h("p", { class: "dim" }, say("Last: $0", model.last.message)) : null,
        remedies(model, actions),
        told(model),
        devices(model.devices),
    ];
}

function elapsed({ began, phase }) {
    return began === null || phase === "host" ? null
        : h("span", { class: "dim" }, " ", h("span", { "data-until": began, "data-since": true }));
}

function picture({ side, phase, guest }) {
    return h("div", { class: `way ${side} ${isMoving(phase) ? `moving ${phase}` : ""} ${phase === "stuck" ? "stuck" : ""}`, "aria-hidden": "true" },
        end(say("Host"), side === "host"),
        h("div", { class: "track" }, h("div", { class: "chip" }, chip())),
        end(guest || say("Guest"), side === "guest"));
}

function end(name, lit) {
    return h("div", { class: `end ${lit ? "lit" : ""}` },
        svg("svg", { viewBox: "0 0 48 40", class: "monitor" },
            svg("rect", { x: 2, y: 2, width: 44, height: 28, rx: 3, class: "glass" }),
            svg("path", { d: "M18 38h12M24 30v8", class: "foot" })),
        h("span", { class: "name" }, name));
}

function chip() {
    return svg("svg", { viewBox: "0 0 44 28" },
        svg("path", { d: "M2 1v26M2 6h38a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H2M8 22v4h16v-4", class: "board" }),
        svg("circle", { cx: 16, cy: 14, r: 5, class: "fan" }),
        svg("circle", { cx: 31, cy: 14, r: 5, class: "fan" }));
}

function remedies({ phase, mayAct, busy }, actions) {
    const disabled = !mayAct;
    if (phase === "stuck")
        return [
            h("p", {}, say("Try again to give back what is left. If a card does not answer, it can be reset in every way there is. Where the kernel itself hangs, only a restart of the host helps.")),
            h("div", { class: "buttons" },
                button("retry", say("Try again"), "primary", actions.retry, { disabled, busy: busy.includes("retry") }),
                button("reset", say("Reset the card and try again"), "secondary", actions.reset, { disabled, busy: busy.includes("reset") }))];
    if (phase === "gone")
        return [
            h("p", {}, say("The service is not running, or does not reach the system bus. Starting it again is harmless: it begins with finishing what was left undone.")),
            h("div", { class: "buttons" }, button("restart", say("Start vfiod again"), "primary", actions.restart, { disabled, busy: busy.includes("restart") }))];
    return null;
}

function told({ told }) {
    return told.length < 2 ? null : h("details", { "data-key": "told" },
        h("summary", { "data-key": "told-summary" }, say("What was done so far ($0)", told.length)),
        h("ol", { class: "told" }, told.map(line => h("li", {}, line))));
}

function devices(list) {
    return list.length === 0 ? null : h("details", { "data-key": "devices" },
        h("summary", { "data-key": "devices-summary" }, say("Devices ($0)", list.length)),
        h("ul", { class: "devices" }, list.map(device => h("li", {},
            h("code", {}, device.address), " ", device.fault || device.driver || say("no driver")))));
}
