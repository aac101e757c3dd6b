// The page's sections: headings, and the places that the parts are drawn into.

import { button, h } from "./dom.js";
import { say } from "./words.js";

/** Build the sections into the page; the places by name. */
export function build(page, refresh) {
    const place = (name, attributes = {}) => h("div", { id: name, ...attributes });
    const places = {
        access: place("access"), notices: place("notices"), card: place("card"),
        guests: place("guests"), history: place("history"), doctor: place("doctor"),
    };
    page.append(
        h("h1", {}, say("Graphics card")), places.access, places.notices,
        section("card", say("Who has it"), places.card),
        section("guests", say("Guests"), places.guests, button("refresh", say("Look again"), "plain", refresh)),
        section("history", say("Last handoffs"), places.history),
        section("doctor", say("Is this PC ready?"), places.doctor));
    return places;
}

function section(name, title, place, beside = null) {
    return h("section", { class: `section ${name}`, "aria-labelledby": `${name}-title` },
        h("header", {}, h("h2", { id: `${name}-title` }, title), beside), place);
}

/** Draws what limited access means. */
export function drawAccess({ mayAct }) {
    return mayAct !== false ? null : h("p", { class: "alert info", role: "note" },
        say("Limited access: this page shows everything and changes nothing. Turn on administrative access at the top of Cockpit to act."));
}
