// The configured guests: whether each could start, and the buttons for what can be asked of it.

import { button, countdown, h } from "../dom.js";
import { say } from "../words.js";

/** Draws {rows, known, older, loading, failed, busy}; `busy`: the keys of buttons whose action is under
 * way. `actions`: start, shutdown, force, keep, cancel, refresh. */
export function drawGuests(actions) {
    return ({ rows, known, older, loading, failed, busy }) => [
        older ? h("p", { class: "dim" }, say("This vfiod is older than this page: guests are started with virsh start.")) : null,
        failed ? h("p", { class: "fault" }, failed) : null,
        loading && rows.length === 0 ? h("p", { class: "dim" }, say("Asking libvirt…")) : null,
        !loading && known && !failed && rows.length === 0 ? h("p", {}, say("No guest is configured. On the host: sudo vfiod init GUEST")) : null,
        rows.map(row => guest(row, actions, key => ({ busy: busy.includes(key) }))),
    ];
}

/** `state` says of a button's key whether its action is under way. */
function guest(row, actions, state) {
    return h("article", { class: "machine", "aria-label": row.name },
        h("h3", {}, row.title || row.name, row.title ? h("span", { class: "dim" }, ` ${row.name}`) : null),
        h("p", { class: "state" }, stateOf(row)),
        row.waits === null ? null : h("p", { class: "counting" },
            say("$0 starts in", row.name), " ", countdown(row.waits), " ",
            button(`cancel:${row.name}`, say("Cancel the start"), "secondary", () => actions.cancel(row), { disabled: !row.canCancel, ...state(`cancel:${row.name}`) })),
        row.trial === null ? null : h("p", { class: "counting" },
            say("On trial: it is ended in"), " ", countdown(row.trial), " ",
            button(`keep:${row.name}`, say("Keep it running"), "primary", () => actions.keep(row), { disabled: !row.canKeep, ...state(`keep:${row.name}`) })),
        row.runs || row.ready || row.moving || row.starting ? null : reasons(row),
        h("div", { class: "buttons" }, row.runs ? ending(row, actions, state) : starting(row, actions, state)));
}

function stateOf(row) {
    if (row.has)
        return say("It has the card.");
    if (row.runs)
        return say("It runs without the card ($0).", row.state);
    if (row.starting)
        return say("$0 is being started.", row.name);
    if (row.moving)
        return say("Not while the card is on its way.");
    if (row.ready)
        return h("span", { class: "good" }, say("$0 could start now.", row.name));
    return say("$0 could not start now.", row.name);
}

function reasons(row) {
    const all = row.reasons.length ? row.reasons : [{ reason: row.readiness, remedy: "" }];
    return h("ul", { class: "reasons" }, all.filter(one => one.reason).map(one => h("li", {},
        one.reason, one.remedy ? h("p", { class: "dim" }, one.remedy) : null)));
}

function starting(row, actions, state) {
    return button(`start:${row.name}`, say("Start"), "primary", () => actions.start(row),
        { disabled: !row.canStart, ...state(`start:${row.name}`), "aria-label": say("Start $0", row.name) });
}

function ending(row, actions, state) {
    const disabled = !row.canEnd;
    return [
        !row.canAsk ? null : button(`shutdown:${row.name}`, say("Shut down"), "secondary", () => actions.shutdown(row),
            { disabled, ...state(`shutdown:${row.name}`), "aria-label": say("Shut down $0", row.name) }),
        button(`force:${row.name}`, row.has ? say("Force off and take the screen back") : say("Force off"), "danger",
            () => actions.force(row), { disabled, ...state(`force:${row.name}`) })];
}
