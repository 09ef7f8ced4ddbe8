/** What all components of one view share: its model, and what its user has set in the browser alone. */
import { getContext, setContext } from "svelte";
import { derived, writable, type Readable, type Writable } from "svelte/store";
import type { View } from "./model";
import type { Grain } from "./protocol";

export interface Shared {
  view: View;
  dark: Readable<boolean>;
  grain: Writable<Grain>;
  speed: Writable<number>;
  /** Whether Python, or the saved file, understands a command. */
  can: Readable<(command: string) => boolean>;
}

export function share(view: View, dark: Readable<boolean>): Shared {
  return setContext("view", {
    view,
    dark,
    grain: writable<Grain>("step"),
    speed: writable(8),
    can: derived(view.parts.meta, (meta) => (command: string) => meta?.commands.includes(command) ?? false),
  });
}

export const shared = () => getContext<Shared>("view");
