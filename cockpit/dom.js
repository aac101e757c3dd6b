// Elements. What comes from the bus becomes text nodes and never markup: there is no other way here.

const SVG = "http://www.w3.org/2000/svg";

/** An element of HTML; `attributes` whose names begin with "on" are listeners. */
export function h(tag, attributes = {}, ...children) {
    return fill(document.createElement(tag), attributes, children);
}

/** An element of SVG. */
export function svg(tag, attributes = {}, ...children) {
    return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith("on"))
            element.addEventListener(name.slice(2), value);
        else if (value === true)
            element.setAttribute(name, "");
        else if (value !== false && value !== null && value !== undefined)
            element.setAttribute(name, value);
    }
    element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined));
    return element;
}

/** A button. `key` is what it is found by again when its surroundings are drawn anew. `busy`: what it
 * does is under way; it then keeps the focus, which a disabled one would lose.
 */
export function button(key, label, kind, onclick, { busy = false, ...attributes } = {}) {
    const state = busy ? { "aria-busy": "true", "aria-disabled": "true" } : {};
    return h("button", { type: "button", class: `button ${kind}`, "data-key": key, onclick, ...state, ...attributes }, label);
}

/** A text that counts down to a time of this browser's clock, in milliseconds. See clock.js. */
export function countdown(until) {
    return h("span", { class: "countdown", "data-until": until, role: "timer" });
}
