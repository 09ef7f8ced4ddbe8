/** The panels, in their order: the part that each shows, and what shows it. */
import type { Component } from "svelte";
import Compare from "./components/Compare.svelte";
import Contributions from "./components/Contributions.svelte";
import Curves from "./components/Curves.svelte";
import Doctor from "./components/Doctor.svelte";
import Histograms from "./components/Histograms.svelte";
import Landscape from "./components/Landscape.svelte";
import Neurons from "./components/Neurons.svelte";
import Plane from "./components/Plane.svelte";
import Settings from "./components/Settings.svelte";
import Spread from "./components/Spread.svelte";
import Warp from "./components/Warp.svelte";
import type { PartName, Parts } from "./protocol";

interface Kind<P extends PartName> {
  /** By which Python knows it, and its title is found. */
  name: string;
  part: P;
  Show: Component<{ part: Parts[P] }>;
  /** Open from the beginning. */
  first?: boolean;
  /** Whether there is anything to show. */
  has?: (part: Parts[P]) => boolean;
  /** There wherever this command is, also before the part is. */
  command?: string;
}
export type PanelKind = Kind<PartName>;

/** Each is typed by its own part, and together they are of any. */
const panel = <P extends PartName>(kind: Kind<P>) => kind as unknown as PanelKind;

export const PANELS: readonly PanelKind[] = [
  panel({ name: "contributions", part: "contributions", Show: Contributions, first: true }),
  panel({ name: "data", part: "data", Show: Plane, first: true }),
  panel({ name: "curves", part: "curves", Show: Curves, first: true }),
  panel({ name: "neurons", part: "data", Show: Neurons, first: true, has: (data) => data.neurons.length > 0 }),
  panel({ name: "warp", part: "warp", Show: Warp }),
  panel({ name: "histograms", part: "histograms", Show: Histograms }),
  panel({ name: "spread", part: "spread", Show: Spread }),
  panel({ name: "surface", part: "surface", Show: Landscape }),
  panel({ name: "doctor", part: "doctor", Show: Doctor }),
  panel({ name: "comparison", part: "comparison", Show: Compare as never, command: "compare" }),
  panel({ name: "settings", part: "settings", Show: Settings }),
];
