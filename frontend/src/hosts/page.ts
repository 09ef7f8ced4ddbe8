/** The model of a local page: parts and answers come over one WebSocket, commands go up it. */
import { T } from "../texts";
import type { Model } from "../protocol";
import { Events } from "./events";

const WAIT = 1000; // milliseconds until a lost connection is tried again

export function pageModel(place: Location): Model & { close(): void } {
  const events = new Events();
  const parts = new Map<string, unknown>();
  const unsent: string[] = [];
  const token = new URLSearchParams(place.search).get("token") ?? "";
  const address = `${place.protocol === "https:" ? "wss" : "ws"}://${place.host}/socket?token=${encodeURIComponent(token)}`;
  let socket: WebSocket;
  let closed = false;

  function receive(changes: Record<string, unknown>): void {
    for (const [part, value] of Object.entries(changes)) {
      parts.set(part, value);
      events.say(`change:${part}`);
    }
  }

  function open(again: boolean): void {
    socket = new WebSocket(address);
    socket.onopen = () => {
      if (again) receive({ notice: null });
      if (again) socket.send(JSON.stringify({ id: 0, do: "hello" }));
      for (const text of unsent.splice(0)) socket.send(text);
    };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data as string) as Record<string, unknown>;
      if (message.set) receive(message.set as Record<string, unknown>);
      if ("id" in message) events.say("msg:custom", message);
    };
    socket.onclose = () => {
      if (closed) return;
      receive({ notice: { kind: "error", text: T.lost, id: -1 } });
      setTimeout(() => closed || open(true), WAIT);
    };
  }
  open(false);

  return {
    get: (part) => parts.get(part),
    on: (event, listener) => events.on(event, listener),
    off: (event, listener) => events.off(event, listener),
    send(command) {
      const text = JSON.stringify(command);
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
      else unsent.push(text);
    },
    close() {
      closed = true;
      socket.close();
    },
  };
}
