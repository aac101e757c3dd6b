// The daemon on the system bus. Reading is anybody's; acting goes by Cockpit's administrative
// access, which calls as root, and past the bus policy and polkit like every other caller.

const cockpit = window.cockpit;
const NAME = "org.vfiod1";
const PATH = "/org/vfiod1";
const MANAGER = "org.vfiod1.Manager";
const AGAIN_MS = 3000;
const UNKNOWN = ["org.freedesktop.DBus.Error.UnknownMethod", "org.freedesktop.DBus.Error.UnknownInterface"];

/** Listens and asks. `heard` has a function for each: owner, progress, changed, ended, closed. */
export class Daemon {
    constructor(heard) {
        this.client = cockpit.dbus(NAME, { bus: "system" });
        this.client.addEventListener("owner", (_event, owner) => heard.owner(owner));
        this.isOpen = true;
        this.client.addEventListener("close", () => {
            this.isOpen = false;
            heard.closed();
        });
        const listen = (member, then) => this.client.subscribe(
            { path: PATH, interface: MANAGER, member }, (_path, _interface, _member, values) => then(...values));
        listen("Progress", heard.progress);
        listen("StartEnded", heard.ended);
        this.client.subscribe(
            { path: PATH, interface: "org.freedesktop.DBus.Properties", member: "PropertiesChanged" },
            () => heard.changed());
    }

    /** The state, as `vfiod status --json` prints it. */
    async status() {
        const [text] = await this.client.call(PATH, MANAGER, "Status", []);
        return JSON.parse(text);
    }

    /** The configured guests; null from a daemon that is older than this page. */
    async guests() {
        try {
            const [text] = await this.client.call(PATH, MANAGER, "ListGuests", []);
            return JSON.parse(text);
        } catch (error) {
            if (UNKNOWN.includes(error.name))
                return null;
            throw error;
        }
    }

    /** The start that waits for its time: {guest, until} with µs of CLOCK_REALTIME, or null. */
    async pending() {
        const properties = "org.freedesktop.DBus.Properties";
        const [values] = await this.client.call(PATH, properties, "GetAll", [MANAGER]);
        const guest = values.Pending?.v;
        return guest ? { guest, until: Number(values.PendingUntil.v) } : null;
    }
}

/** Have `appeared` called whenever somebody may have taken the daemon's name.
 *
 * Cockpit closes a connection to a name that nobody has, so that it cannot tell by itself. This one
 * closes with the bus: it is tried anew while somebody looks, and by what is returned.
 */
export function watchName(appeared) {
    let client = null;
    const open = () => {
        const name = "org.freedesktop.DBus";
        client = cockpit.dbus(name, { bus: "system" });
        client.subscribe(
            { path: "/org/freedesktop/DBus", interface: name, member: "NameOwnerChanged", arg0: NAME },
            (_path, _interface, _member, [, , owner]) => owner && appeared());
        client.addEventListener("close", () => {
            client = null;
            window.setTimeout(again, AGAIN_MS);
        });
    };
    const again = () => {
        if (cockpit.hidden)
            return;
        if (client === null)
            open();
        appeared();
    };
    cockpit.addEventListener("visibilitychange", again);
    open();
    return again;
}

/** Call what changes something, once, as root. Rejects with the daemon's message. */
export async function act(method, type, ...values) {
    const client = cockpit.dbus(NAME, { bus: "system", superuser: "require" });
    try {
        await client.call(PATH, MANAGER, method, values, { type });
    } finally {
        client.close();
    }
}
