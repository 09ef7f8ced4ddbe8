// The local page's model over a WebSocket.
import assert from "node:assert/strict";
import { test } from "node:test";
import { later, load } from "./helpers.mjs";

const sockets = [];
globalThis.WebSocket = class {
  static OPEN = 1;
  readyState = 0;
  sent = [];
  constructor(address) {
    this.address = address;
    sockets.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  open() {
    this.readyState = 1;
    this.onopen();
  }
  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }
  close() {
    this.readyState = 3;
    this.onclose();
  }
};
const { pageModel } = await load("src/hosts/page.ts");

test("parts, answers and commands go over one socket, with the page's token", () => {
  const model = pageModel(window.location);
  const [socket] = sockets.splice(0);
  assert.equal(socket.address, "ws://127.0.0.1:8000/socket?token=secret");
  const heard = [];
  model.on("change:meta", () => heard.push(model.get("meta").title));
  model.on("msg:custom", (message) => heard.push(message.ok));
  model.send({ id: 1, do: "hello" });
  assert.deepEqual(socket.sent, []);
  socket.open();
  assert.deepEqual(socket.sent, [{ id: 1, do: "hello" }]);
  socket.say({ set: { meta: { title: "t" }, drawing: null } });
  socket.say({ id: 1, ok: "done" });
  assert.deepEqual(heard, ["t", "done"]);
  model.close();
});

test("a lost connection is told and tried again, and then all parts are asked for", async () => {
  const model = pageModel(window.location);
  const [first] = sockets.splice(0);
  first.open();
  first.close();
  assert.match(model.get("notice").text, /connection/);
  await later(1100);
  const [second] = sockets.splice(0);
  second.open();
  assert.equal(model.get("notice"), null);
  assert.deepEqual(second.sent, [{ id: 0, do: "hello" }]);
  model.close();
  await later(1100);
  assert.equal(sockets.length, 0);
});
