// Words for people, in the language of the session.

const cockpit = window.cockpit;

/** The text in the reader's language; `$0`, `$1`... become the values. */
export function say(text, ...values) {
    return cockpit.format(cockpit.gettext(text), ...values);
}

/** A time from seconds to days, in at most two units. */
export function duration(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    if (whole >= 86400)
        return say("$0 d $1 h", Math.floor(whole / 86400), Math.floor(whole % 86400 / 3600));
    if (whole >= 3600)
        return say("$0 h $1 min", Math.floor(whole / 3600), Math.floor(whole % 3600 / 60));
    if (whole >= 60)
        return say("$0 min $1 s", Math.floor(whole / 60), whole % 60);
    return say("$0 s", whole);
}

/** The time a step took. */
export function seconds(value) {
    return say("$0 s", value.toFixed(value < 10 ? 2 : 1));
}

/** A date as ISO 8601 writes it, in the reader's own way. */
export function date(iso) {
    const style = { dateStyle: "medium", timeStyle: "short" };
    return new Intl.DateTimeFormat(cockpit.language.replace("_", "-"), style).format(new Date(iso));
}
