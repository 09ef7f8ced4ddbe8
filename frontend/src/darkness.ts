/** Whether the view is dark: as its user chose, else as what it stands on, else as the system. */
import { derived, writable, type Readable, type Writable } from "svelte/store";

export type Theme = "auto" | "light" | "dark";

const DARKEST = 110; // of 255, what still counts as dark

/** What an element is in, out of shadow roots too. */
function above(element: Element): Element | null {
  const root = element.getRootNode();
  return element.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
}

/** Whether what an element stands on is painted dark, as a notebook's theme does it; null where nothing is painted. */
function darkBehind(element: Element): boolean | null {
  for (let at = above(element); at; at = above(at)) {
    const [red, green, blue, alpha = 1] = (getComputedStyle(at).backgroundColor.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    if (alpha > 0.5) return 0.3 * red + 0.6 * green + 0.1 * blue < DARKEST;
  }
  return null;
}

export class Darkness {
  readonly chosen: Writable<Theme> = writable("auto");
  readonly #around = writable(false);
  readonly dark: Readable<boolean> = derived([this.chosen, this.#around], ([chosen, around]) =>
    chosen === "auto" ? around : chosen === "dark",
  );

  /** An action on the view's element. */
  watch = (element: Element): { destroy(): void } => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const look = () => this.#around.set(darkBehind(element) ?? system.matches);
    look();
    system.addEventListener("change", look);
    return { destroy: () => system.removeEventListener("change", look) };
  };
}
