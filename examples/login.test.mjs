// Tests login.mjs against a running `bocau dev`:  node --test examples/
// BOCAU_TEST_URL is the address of its admin listener.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

const kit = process.env.BOCAU_TEST_URL ?? "http://127.0.0.1:8485";
let space, sendCode;

async function ask(method, path, body) {
  const answer = await fetch(`${kit}/test${path}`, { method, body: body && JSON.stringify(body) });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}

before(async () => {
  const made = await ask("POST", "/namespaces", {});
  space = `/namespaces/${made.namespace}`;
  process.env.ESMS_BASE_URL = made.base_url;
  process.env.ESMS_API_KEY = made.api_key;
  process.env.ESMS_SECRET_KEY = made.secret_key;
  ({ sendCode } = await import("./login.mjs"));
});

after(() => ask("DELETE", space));

test("the code that was sent is the code that arrives", async () => {
  const code = await sendCode("0901888484");
  const { message } = await ask("GET", `${space}/wait?phone=0901888484&code=1&seconds=5`);
  assert.equal(message.code, code);
});

test("a carrier that refuses is no reason to fail", async () => {
  await ask("POST", `${space}/faults`, { faults: [{ act: "undelivered" }] });
  await sendCode("0901888485");
  const { found } = await ask("GET", `${space}/wait?phone=0901888485&until=accepted&seconds=5`);
  assert.ok(found);
});
