/** The module's face: what anywidget calls, and pages that say which host they are. */
import { mount, unmount } from "svelte";
import App from "./components/App.svelte";
import { fileModel } from "./hosts/file";
import { pageModel } from "./hosts/page";
import { connect } from "./model";
import type { Model } from "./protocol";
import theme from "./theme.css";

interface Place {
  model: Model;
  el: HTMLElement;
  /** Whether the view is all of a page: it fills that, and keys pressed anywhere are meant for it. */
  whole?: boolean;
}

/** Shows a view in an element; what is returned takes it away. */
function render({ model, el, whole = false }: Place): () => void {
  const host = el.appendChild(document.createElement("div"));
  if (whole) host.dataset.whole = "";
  host.dataset.lmSuppressShortcuts = "true"; // JupyterLab's own keys are not meant while one of the view's is pressed
  const root = host.attachShadow({ mode: "open" });
  root.appendChild(document.createElement("style")).textContent = theme;
  const view = connect(model);
  const app = mount(App, { target: root, props: { view, keys: whole ? document : el } });
  void view.tell("hello");
  return () => {
    view.close();
    void unmount(app);
    host.remove();
  };
}

/** A page of a running Python, which it talks to over a WebSocket. */
export function page(el: HTMLElement): () => void {
  const model = pageModel(location);
  const stop = render({ model, el, whole: true });
  return () => (stop(), model.close());
}

/** A saved file: its recording stands in the page. */
export async function file(el: HTMLElement): Promise<() => void> {
  const model = await fileModel(el);
  return render({ model, el, whole: true });
}

/** Pages have no script but this module: an element with data-chainrule="page" or "file" says what is to be shown in it. */
for (const el of document.querySelectorAll<HTMLElement>("[data-chainrule]:not([data-shown])")) {
  el.dataset.shown = "";
  if (el.dataset.chainrule === "page") page(el);
  if (el.dataset.chainrule === "file") void file(el);
}

export default { render };
