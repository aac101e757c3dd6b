// The page: what was seen, when it is read again, and what is drawn from it.
//
// Nothing is asked at intervals. The bus tells of every change; libvirt and the journal are read
// when the phase has changed, when somebody comes back to the page, and on request.

import { makeActions } from "./actions.js";
import { Daemon, watchName } from "./bus.js";
import { startClock, tick } from "./clock.js";
import { clockAhead, doctor, history } from "./commands.js";
import { Part } from "./draw.js";
import { build, drawAccess } from "./skeleton.js";
import { findings, guestRows, isMoving, newest, phaseOf, situation } from "./state.js";
import { drawCard, sentence } from "./view/card.js";
import { drawDoctor } from "./view/doctor.js";
import { drawGuests } from "./view/guests.js";
import { drawHistory } from "./view/history.js";
import { announce, notice } from "./view/notices.js";
import { say } from "./words.js";

const cockpit = window.cockpit;
const STORIES = 5;
const TOLD = 60;

// What was seen so far. `guests`: undefined while they are not known, as where nobody answers, null
// if the daemon is too old.
const seen = {
    link: "connecting", status: null, readAt: 0, told: [], guests: undefined, pending: null,
    ahead: 0, mayAct: null, loading: false, failed: "",
    history: {}, doctor: {},
};
const underWay = {}; // readings, by their kind
const busy = new Set(); // the keys of buttons whose action is under way
let wasLooked = false;

const permission = cockpit.permission({ admin: true });
document.documentElement.lang = cockpit.language.replace("_", "-");
const places = build(document.getElementById("page"), lookAgain);
const actions = makeActions({ run, freshRow, examine, seen });
const parts = {
    access: new Part(places.access, drawAccess),
    card: new Part(places.card, drawCard(actions)),
    guests: new Part(places.guests, drawGuests(actions)),
    history: new Part(places.history, drawHistory),
    doctor: new Part(places.doctor, drawDoctor(actions)),
};

let daemon = connect();

function connect() {
    return new Daemon({
        owner: owner => linked(owner ? "here" : "gone"),
        closed: () => linked("gone"),
        changed: () => readStatus(),
        progress: (_guest, _direction, _step, message) => {
            seen.told = [...seen.told, message].slice(-TOLD);
            readStatus();
        },
        ended: (guest, started, message) => {
            if (!started)
                notice(places.notices, message || say("$0 was not started.", guest));
            readStatus();
        },
    });
}

function linked(link) {
    const wasGone = seen.link === "gone";
    if (link === "gone")
        lose();
    else {
        seen.link = link;
        readStatus();
        if (wasGone && wasLooked)
            readRest();
    }
    show();
}

/** What was seen is not so any more: nobody tells of its changes. */
function lose() {
    Object.assign(seen, { link: "gone", status: null, pending: null, guests: undefined });
}

function show() {
    const model = situation(seen);
    parts.access.show({ mayAct: seen.mayAct });
    const keys = [...busy];
    parts.card.show({ ...model, busy: keys });
    const { loading, failed } = seen;
    parts.guests.show({ rows: guestRows(seen), known: Array.isArray(seen.guests), older: seen.guests === null, loading, failed, busy: keys });
    parts.history.show(seen.history);
    parts.doctor.show(seen.doctor);
    announce(sentence(model));
    tick();
}

/** One reading of a kind at a time; whoever asks meanwhile gets the one after it. */
function reading(name, work) {
    const under = underWay[name];
    if (under) {
        under.next ??= under.promise.then(() => reading(name, work));
        return under.next;
    }
    const promise = work().finally(() => {
        delete underWay[name];
        show();
    });
    underWay[name] = { promise };
    return promise;
}

function readStatus() {
    return cockpit.hidden ? null : reading("status", async () => {
        const before = phaseOf(seen);
        try {
            const [status, pending] = await Promise.all([daemon.status(), daemon.pending()]);
            if (pending && !seen.pending)
                seen.ahead = await clockAhead();
            if (seen.link !== "gone") // else it went since: this answer is of before
                Object.assign(seen, { link: "here", status, pending, readAt: Date.now() });
        } catch {
            lose();
        }
        changed(before, phaseOf(seen));
    });
}

function changed(before, now) {
    if (before === now)
        return;
    if (isMoving(now) && !isMoving(before))
        seen.told = seen.told.slice(-1);
    if (before !== "connecting" && !isMoving(now) && now !== "gone") {
        readRest();
    }
}

function readRest() {
    readGuests();
    readHistory();
}

function readGuests() {
    return reading("guests", async () => {
        seen.loading = true;
        show();
        try {
            seen.guests = await daemon.guests();
            seen.failed = "";
            if (seen.pending || seen.guests?.some(guest => guest.trial_until))
                seen.ahead = await clockAhead();
        } catch (error) {
            seen.failed = seen.link === "gone" ? "" : cockpit.message(error);
        }
        seen.loading = false;
    });
}

function readHistory() {
    return reading("history", async () => {
        try {
            seen.history = { stories: newest(await history(), STORIES) };
        } catch (error) {
            seen.history = { failed: cockpit.message(error) };
        }
    });
}

function examine() {
    return reading("doctor", async () => {
        seen.doctor = { ...seen.doctor, running: true };
        show();
        try {
            seen.doctor = { found: findings(await doctor()) };
        } catch (error) {
            seen.doctor = { failed: cockpit.message(error) };
        }
    });
}

async function freshRow({ name }) {
    await readGuests();
    if (seen.failed || seen.link === "gone")
        throw new Error(seen.failed || say("vfiod does not answer."));
    const row = guestRows(seen).find(one => one.name === name);
    if (!row)
        throw new Error(say("$0 is not configured any more.", name));
    return row;
}

/** Do what a button asks for, once at a time, and see what came of it. Forcing off stays possible
 * meanwhile.
 */
async function run(key, title, work) {
    if (busy.has(key))
        return;
    busy.add(key);
    show();
    places.notices.replaceChildren();
    try {
        await work();
    } catch (error) {
        notice(places.notices, title, cockpit.message(error));
    }
    reconnect();
    await readStatus();
    busy.delete(key);
    show();
    if (!isMoving(phaseOf(seen)))
        await readGuests();
}

function reconnect() {
    if (!daemon.isOpen)
        daemon = connect();
}

permission.addEventListener("changed", () => {
    seen.mayAct = permission.allowed;
    show();
});
cockpit.addEventListener("visibilitychange", () => {
    if (!wasLooked)
        look();
    else if (!cockpit.hidden && seen.link === "here") {
        readStatus();
        readRest();
    }
});
const watch = watchName(reconnect);
startClock(() => readGuests());
look();
show();
window.vfiodReady = performance.now();

/** Read all for the first time, as soon as somebody looks. */
async function look() {
    if (cockpit.hidden)
        return;
    wasLooked = true;
    await readStatus();
    readRest();
    if (phaseOf(seen) === "host")
        examine();
}

function lookAgain() {
    watch();
    readGuests();
}
