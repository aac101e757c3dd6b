// Parts of the page that are drawn anew when what they show has changed.

/** A place on the page and the function that draws a model into it. */
export class Part {
    constructor(place, draw) {
        this.place = place;
        this.draw = draw;
        this.shown = null;
    }

    /** Draw the model, unless it is what is shown; whoever has the focus keeps it. */
    show(model) {
        const text = JSON.stringify(model);
        if (text === this.shown)
            return;
        this.shown = text;
        const key = this.place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
        const open = opened(this.place);
        this.place.replaceChildren(...[this.draw(model)].flat(Infinity).filter(child => child !== null));
        for (const details of this.place.querySelectorAll("details[data-key]"))
            details.open = open.get(details.dataset.key) ?? details.open;
        if (key)
            find(this.place, key)?.focus();
    }
}

function opened(place) {
    const all = place.querySelectorAll("details[data-key]");
    return new Map(Array.from(all, details => [details.dataset.key, details.open]));
}

function find(place, key) {
    return Array.from(place.querySelectorAll("[data-key]")).find(element => element.dataset.key === key);
}
