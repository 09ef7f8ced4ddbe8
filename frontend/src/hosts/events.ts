/** Listeners by the name of what they listen to. */
type Listener = (message: unknown) => void;

export class Events {
  #listeners = new Map<string, Set<Listener>>();

  on(event: string, listener: Listener): void {
    const all = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, all.add(listener));
  }

  off(event: string, listener: Listener): void {
    this.#listeners.get(event)?.delete(listener);
  }

  say(event: string, message?: unknown): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(message);
  }
}
