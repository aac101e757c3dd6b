// Dark or light, as chosen in Cockpit's own menu: `shell:style` in the browser's storage, which
// Cockpit's shell also tells its frames of with the event `cockpit-style`; "auto" is the system's.
"use strict";

(() => {
    const system = window.matchMedia("(prefers-color-scheme: dark)");

    function stored() {
        try {
            return window.localStorage.getItem("shell:style");
        } catch {
            return null; // storage is switched off
        }
    }

    function apply(style) {
        const dark = style === "dark" || (style !== "light" && system.matches);
        // The names of PatternFly 4, 5 and 6, as Cockpit's pages have them.
        for (const name of ["pf-theme-dark", "pf-v5-theme-dark", "pf-v6-theme-dark"])
            document.documentElement.classList.toggle(name, dark);
    }

    window.addEventListener("storage", event => {
        if (event.key === "shell:style")
            apply(event.newValue);
    });
    window.addEventListener("cockpit-style", event => apply(event.detail.style));
    system.addEventListener("change", () => apply(stored()));
    apply(stored());
})();
