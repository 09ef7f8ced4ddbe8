/** What is pointed at or selected is marked wherever it stands; a click on a number selects it. */
import { get } from "svelte/store";
import type { View } from "./model";
import { numberOf, standsFor, type Key } from "./protocol";

/** Elements that stand for a number, or for several others. */
const MARKED = "[data-key], [data-lights]";

function keysAt(event: Event): Key[] {
  const element = (event.target as Element).closest?.(MARKED);
  const several = element?.getAttribute("data-lights");
  const key = element?.getAttribute("data-key");
  return several ? (JSON.parse(several) as Key[]) : key ? [key] : [];
}

function mark(root: ParentNode, name: string, keys: readonly Key[]): void {
  const meant = keys.map(standsFor);
  for (const element of root.querySelectorAll(`.${name}`)) element.classList.remove(name);
  if (!meant.length) return;
  for (const element of root.querySelectorAll("[data-key]"))
    if (meant.some((isMeant) => isMeant(element.getAttribute("data-key") ?? ""))) element.classList.add(name);
}

/** An action on the element that everything is in. */
export function marking(root: HTMLElement, view: View): { destroy(): void } {
  const { selection, meta } = view.parts;
  const chosen = () => {
    const key = get(selection)?.key;
    return key ? [key] : [];
  };
  const stops = [view.lit.subscribe((keys) => mark(root, "lit", keys)), selection.subscribe(() => mark(root, "chosen", chosen()))];

  const pointed = (event: Event) => view.lit.set(keysAt(event));
  const left = () => view.lit.set([]);
  const clicked = (event: Event) => {
    const key = (event.target as Element).closest?.("[data-key]")?.getAttribute("data-key");
    if (key && get(meta)?.commands.includes("select"))
      void view.tell("select", { key: numberOf(key), depth: get(selection)?.depth });
  };
  const listeners = { pointerover: pointed, focusin: pointed, pointerleave: left, click: clicked };
  for (const [event, listener] of Object.entries(listeners)) root.addEventListener(event, listener);

  /** What is drawn anew is marked anew. */
  const drawn = new MutationObserver(() => {
    mark(root, "lit", get(view.lit));
    mark(root, "chosen", chosen());
  });
  drawn.observe(root, { subtree: true, childList: true, attributeFilter: ["data-key"] });

  return {
    destroy() {
      for (const stop of stops) stop();
      for (const [event, listener] of Object.entries(listeners)) root.removeEventListener(event, listener);
      drawn.disconnect();
    },
  };
}
