/** Servers that are not the mock that this package needs: one line says what to do. */

import http from "node:http";
import { afterEach, expect, test } from "vitest";
import { createWorld } from "@screentest/client";
import { portOf } from "../port.js";

let server: http.Server;
afterEach(() => void server?.close());

async function answering(status: number, headers: Record<string, string>, body: string): Promise<string> {
  server = http.createServer((_, response) => response.writeHead(status, headers).end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${portOf(server)}`;
}

const PROBLEM = { "Content-Type": "application/problem+json", "X-Screentest-Control": "1" };

test("a newer server asks for an update of the package", async () => {
  const url = await answering(200, { "X-Screentest-Control": "2" }, "{}");

  await expect(createWorld({}, url)).rejects.toThrow(
    `the mock at ${url} has version 2 of the control API, and @screentest/client needs 1: npm install -D @screentest/client@latest`,
  );
});

test("an older server asks for an update of the server", async () => {
  const url = await answering(200, { "X-Screentest-Control": "0" }, "{}");

  await expect(createWorld({}, url)).rejects.toThrow(/needs 1: pip install -U screentest$/);
});

test("a field that an older server does not know asks for an update of the server", async () => {
  const problem = { title: "unknown field", status: 422, code: "unknown_field", detail: "no field 'label'" };
  const url = await answering(422, PROBLEM, JSON.stringify(problem));

  await expect(createWorld({ label: "x" }, url)).rejects.toThrow(
    `/worlds: no field 'label'; if the mock at ${url} is older than this package: pip install -U screentest`,
  );
});

test("a server that is not a mock is named", async () => {
  const url = await answering(200, {}, "hello");

  await expect(createWorld({}, url)).rejects.toThrow(`${url} is not a screentest mock`);
});

test("an address where nothing listens is named", async () => {
  const url = await answering(200, {}, "");
  await new Promise((resolve) => server.close(resolve));

  await expect(createWorld({}, url)).rejects.toThrow(`no mock answers at ${url} (connect ECONNREFUSED`);
});

test("a refusal has the stable code of the mock", async () => {
  await using world = await createWorld();
  const { control } = world;

  await expect(control.get("/worlds/{world}", { path: { world: "w_none" } })).rejects.toMatchObject({
    name: "ControlError",
    status: 404,
    code: "unknown_world",
  });
});
