// The buttons: each says what will end, asks, acts as root and tells what came of it.

import { act } from "./bus.js";
import { destroy, restart } from "./commands.js";
import { ask } from "./view/dialog.js";
import { say } from "./words.js";

const DELAY_SECONDS = 10; // for whoever sits there: time to see it coming and to cancel

/** The actions of the page. `run(key, title, work)` shows what failed, and
 * does nothing while what the button of this key does is under way; `freshRow` asks libvirt anew. */
export function makeActions({ run, freshRow, examine, seen }) {
    return {
        examine,
        start: row => run(`start:${row.name}`, say("$0 was not started.", row.name), async () => {
            const { people, ready, readiness } = await freshRow(row);
            if (!ready)
                throw new Error(readiness);
            if (await ask(startQuestion(row, people)))
                await act("StartGuest", "su", row.name, people.length ? DELAY_SECONDS : 0);
        }),
        cancel: row => run(`cancel:${row.name}`, say("The start was not cancelled."), () => act("CancelStart", "")),
        keep: row => run(`keep:${row.name}`, say("$0 is still on trial.", row.name), () => act("Keep", "su", row.name, 0)),
        shutdown: row => run(`shutdown:${row.name}`, say("$0 was not shut down.", row.name), async () => {
            if (await ask(shutdownQuestion(row)))
                await act("ShutdownGuest", "sb", row.name, false);
        }),
        force: row => run(`force:${row.name}`, say("$0 was not forced off.", row.name), async () => {
            if (await ask(forceQuestion(row)))
                await (seen.guests === null ? destroy() : act("ShutdownGuest", "sb", row.name, true));
        }),
        retry: () => run("retry", say("Something is still stuck."), () => act("Return", "b", false)),
        reset: () => run("reset", say("Something is still stuck."), async () => {
            if (await ask(resetQuestion()))
                await act("Return", "b", true);
        }),
        restart: () => run("restart", say("vfiod was not started."), restart),
    };
}

function startQuestion(row, people) {
    const ends = people.length
        ? [say("The desktop of this host ends, and with it:"), people, say("What is not saved is lost. The start begins $0 seconds after you confirm; until then it can be cancelled.", DELAY_SECONDS)]
        : [say("Nobody's work ends: no desktop session was found that would.")];
    return {
        title: say("Start $0?", row.name),
        texts: [...ends, say("The host's screen goes to $0. This page stays and can take it back.", row.name)],
        confirm: say("Start $0", row.name),
        danger: people.length > 0,
    };
}

function shutdownQuestion(row) {
    return {
        title: say("Shut down $0?", row.name),
        texts: [say("$0 is asked to shut down, as by its power button. Programs in it may still ask what to do with unsaved work.", row.name), back(row)],
        confirm: say("Shut down"),
    };
}

function forceQuestion(row) {
    return {
        title: say("Force off $0?", row.name),
        texts: [say("It is as if the plug of $0 were pulled: what is not saved in it is lost, and its disks may need a check.", row.name), back(row)],
        confirm: row.has ? say("Force off and take the screen back") : say("Force off"),
        danger: true,
    };
}

function back(row) {
    return row.has ? say("When it has ended the host gets its screen back, with the login screen.") : say("It has not the card: the host's screen stays as it is.");
}

function resetQuestion() {
    return {
        title: say("Reset the card?"),
        texts: [say("Each way to reset the card is tried: its own resets, its bus, removing and finding it again, its driver anew. What uses the card on the host ends; it takes up to some minutes.")],
        confirm: say("Reset the card"),
        danger: true,
    };
}
