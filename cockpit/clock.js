// Countdowns tick here in the browser; the daemon is not asked for the time. Nothing ticks while
// nobody looks.

import { duration } from "./words.js";

const cockpit = window.cockpit;

/** Have every countdown on the page count; `over` is called when one has come to its end. */
export function startClock(over) {
    let timer = null;
    const look = () => {
        if (cockpit.hidden) {
            window.clearInterval(timer);
            timer = null;
        } else if (timer === null) {
            timer = window.setInterval(() => tick(over), 1000);
            tick(over);
        }
    };
    cockpit.addEventListener("visibilitychange", look);
    look();
}

/** Write the time that is left, or has passed since, into every countdown. */
export function tick(over = () => {}) {
    for (const element of document.querySelectorAll("[data-until]:not(.over)")) {
        const left = (element.dataset.until - Date.now()) / 1000;
        element.textContent = duration(Math.abs(left));
        if (left <= 0 && !element.hasAttribute("data-since")) {
            element.classList.add("over");
            over();
        }
    }
}
