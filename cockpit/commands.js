// Programs of the host that this page runs: fixed lists of words, no shell.

import { say } from "./words.js";

const cockpit = window.cockpit;

/** What `vfiod doctor` finds. Its exit status tells of findings, too; what it prints counts. */
export async function doctor() {
    return JSON.parse(await output(["vfiod", "doctor", "--json"], "try"));
}

/** The handoffs in the journal, oldest first. */
export async function history() {
    return JSON.parse(await output(["vfiod", "log", "--json"], "try")).handoffs;
}

/** How many milliseconds the host's clock is ahead of this browser's. */
export async function clockAhead() {
    const asked = Date.now();
    const text = await output(["date", "+%s%3N"]);
    return Number(text) - (asked + Date.now()) / 2;
}

/** Restart the daemon, which begins with finishing what was left undone. */
export function restart() {
    return cockpit.spawn(["systemctl", "restart", "vfiod.service"], { superuser: "require", err: "message" });
}

/** Force the guest off that has the devices, as a daemon without ShutdownGuest lets one. */
export function destroy() {
    return cockpit.spawn(["vfiod", "return", "--destroy"], { superuser: "require", err: "message" });
}

async function output(words, superuser) {
    let text = "";
    const options = { err: "message", environ: ["LC_ALL=C.UTF-8"], ...(superuser ? { superuser } : {}) };
    try {
        await cockpit.spawn(words, options).stream(chunk => { text += chunk; });
    } catch (error) {
        if (error.problem === "not-found")
            throw new Error(say("The program $0 is not installed on the host.", words[0]));
        if (!text)
            throw error;
    }
    return text;
}
