// What the page shows, decided from what was read. Pure: no bus, no document, no clock, no words.

const DOWN = ["", "shut off", "crashed"];
const MOVING = ["handoff", "return"];
const WITH_GUEST = ["prepared", "guest"];
const SIDES = {
    host: "host", handoff: "between", prepared: "guest", guest: "guest", return: "between", stuck: "between",
};

/** The daemon's phase, or "connecting" or "gone" where there is none to be had. */
export function phaseOf({ link, status }) {
    return link === "here" && status ? status.phase : link === "gone" ? "gone" : "connecting";
}

/** Whether the devices are on their way. */
export function isMoving(phase) {
    return MOVING.includes(phase);
}

/** Who has the card, and what is under way. `side`: host, between, guest or unknown. */
export function situation(seen) {
    const phase = phaseOf(seen);
    const status = phase === "gone" || phase === "connecting" ? null : seen.status;
    // For what the screen may be dark without a handoff; a daemon before it tells of none.
    const away = phase === "host" ? status.away ?? [] : [];
    return {
        phase,
        away,
        guest: status?.guest ?? "",
        side: away.length > 0 ? "unknown" : SIDES[phase] ?? "unknown",
        began: status?.seconds == null ? null : Math.round((seen.readAt - status.seconds * 1000) / 1000) * 1000,
        step: stepUnderWay(phase, status, seen.told),
        told: isMoving(phase) || phase === "stuck" ? seen.told : [],
        devices: status?.devices ?? [],
        faults: [...status?.faults ?? [], ...away],
        last: phase === "host" || phase === "stuck" ? status.last ?? null : null,
        mayAct: seen.mayAct,
    };
}

/** A handoff writes a step down before it takes it; of a return the last word is what was done. */
function stepUnderWay(phase, status, told) {
    if (phase === "handoff")
        return status.journal.at(-1)?.does ?? told.at(-1) ?? "";
    return phase === "return" ? told.at(-1) ?? "" : "";
}

/** The configured guests, each with what may be asked of it now. */
export function guestRows(seen) {
    const phase = phaseOf(seen);
    return known(seen, phase).map(guest => {
        const has = WITH_GUEST.includes(phase) && seen.status.guest === guest.name;
        const runs = has || !DOWN.includes(guest.state);
        const free = seen.mayAct === true;
        const waits = seen.pending?.guest === guest.name;
        return {
            ...guest,
            has,
            runs,
            waits: waits ? seen.pending.until / 1000 - seen.ahead : null,
            trial: guest.trial_until ? guest.trial_until / 1000 - seen.ahead : null,
            moving: isMoving(phase),
            starting: phase === "host" && seen.status.starting === guest.name,
            ready: guest.readiness === "ok",
            canStart: free && phase === "host" && !runs && guest.readiness === "ok" && !seen.pending && !seen.status.starting,
            canEnd: free && runs && !isMoving(phase) && phase !== "gone" && phase !== "connecting",
            canAsk: seen.guests !== null,
            canKeep: free,
            canCancel: free,
        };
    });
}

/** From a daemon without ListGuests, the guest that has the devices is all that is known. */
function known({ guests, status }, phase) {
    if (guests !== null)
        return guests ?? [];
    const guest = WITH_GUEST.includes(phase) ? status.guest : "";
    return guest ? [{ name: guest, title: "", state: "running", readiness: "", reasons: [], people: [], trial_until: 0 }] : [];
}

/** What doctor found: what fails, then warnings, then the rest; and how many of each. */
export function findings(report) {
    const of = level => report.findings.filter(finding => finding.level === level);
    return { fail: of("fail"), warn: of("warn"), ok: of("ok"), notes: report.notes ?? [] };
}

/** The last handoffs, newest first. */
export function newest(stories, count) {
    return stories.slice(-count).reverse();
}

/** Where a step's bar begins and how long it is, in percent of its way. None is too thin to see. */
export function bar(step, way) {
    const whole = Math.max(way.seconds, 1e-6);
    const width = Math.min(100, Math.max(0.6, 100 * step.seconds / whole));
    return { start: Math.min(100 - width, 100 * step.start / whole), width };
}

/** A text of the catalog: paragraphs, and commands, which are indented there. */
export function paragraphs(text) {
    const found = [];
    for (const line of text.split("\n")) {
        const isCommand = line.startsWith(" ");
        const last = found.at(-1);
        if (!line.trim())
            found.push(null);
        else if (!isCommand && last && !last.isCommand)
            last.text += ` ${line.trim()}`;
        else
            found.push({ text: line.trim(), isCommand });
    }
    return found.filter(paragraph => paragraph !== null);
}
