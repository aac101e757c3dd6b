// The last handoffs, each with the timeline of its steps.

import { h, svg } from "../dom.js";
import { bar, paragraphs } from "../state.js";
import { date, duration, say, seconds } from "../words.js";

const BAD = ["refused", "stuck", "failed"];

function outcome(story) {
    const words = {
        refused: () => say("refused; no device was touched"),
        handoff: () => say("being handed over"),
        guest: () => say("has the devices"),
        return: () => say("on the way back"),
        stuck: () => say("stuck: something could not be given back"),
        returned: () => say("handed over and returned"),
        failed: () => say("not started; the host has its display back"),
    }[story.outcome]?.() ?? story.outcome;
    return story.host_rebooted ? say("$0, until the host was restarted", words) : words;
}

/** Draws {stories} or {failed}. */
export function drawHistory({ stories, failed }) {
    if (failed)
        return h("p", { class: "dim" }, failed);
    if (!stories)
        return h("p", { class: "dim" }, say("Reading the journal…"));
    if (stories.length === 0)
        return h("p", {}, say("No handoff is in the journal yet."));
    return stories.map(story);
}

function story(one) {
    return h("details", { "data-key": `story:${one.transaction || one.began}`, class: `story ${one.outcome}` },
        h("summary", { "data-key": `story-summary:${one.transaction || one.began}` },
            h("span", { class: "what" }, h("strong", {}, one.guest || "vfiod"), " ",
                h("span", { class: BAD.includes(one.outcome) ? "bad" : "" }, outcome(one))),
            h("time", { class: "dim", datetime: one.began }, date(one.began))),
        one.ways.map((way, index) => [timeline(way), index === 0 && one.guest_seconds !== null
            ? h("p", { class: "held" }, say("$0 had the devices for $1.", one.guest, duration(one.guest_seconds))) : null]),
        one.notes.map(note => h("p", { class: "dim" }, note)),
        one.problems.map(problem => h("p", { class: "fault" }, problem)),
        paragraphs(one.remedy).map(({ text, isCommand }) => isCommand ? h("pre", {}, text) : h("p", {}, text)));
}

function timeline(way) {
    return [
        h("h4", {}, way.does, h("span", { class: "dim" }, ` ${seconds(way.seconds)}${way.complete ? "" : `, ${say("not finished")}`}`)),
        h("ol", { class: "timeline" }, way.steps.map(step => row(step, way))),
        way.remarks.map(remark => h("p", { class: "dim remark" }, remark)),
    ];
}

function row(step, way) {
    const { start, width } = bar(step, way);
    return h("li", { class: step.done ? "" : "failed" },
        h("span", { class: "does" }, step.does),
        svg("svg", { class: "bar", "aria-hidden": "true" },
            svg("rect", { x: `${start.toFixed(2)}%`, width: `${width.toFixed(2)}%`, y: 0, height: "100%", rx: 2 })),
        h("span", { class: "took" }, seconds(step.seconds)));
}
