/** The control API of one mock, typed by its contract, `specs/control/openapi.yaml`. */

import { readFileSync } from "node:fs";
import { ControlError, MockGoneError, WrongServerError } from "../errors.js";
import { send, type Answer } from "./http.js";
import type { components, paths } from "./openapi.js";

export type Schemas = components["schemas"];

/** The version of the control API that this package was generated from. */
export const CONTROL_VERSION = "1";
/** Set by the global set-up: the file with the log of the mock. Not a setting of `screentest`. */
export const LOG_VARIABLE = "_SCREENTEST_CLIENT_LOG";
const LAST_LINES = 12;

type Method = "get" | "post" | "patch" | "delete";
type PathsOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never;
}[keyof paths];
type Content<T> = T extends { content: infer C } ? C[keyof C] : undefined;
type Success<R> = R extends { 200: infer T } | { 201: infer T } ? Content<T> : undefined;
type Result<O> = O extends { responses: infer R } ? Success<R> : never;
type Body<O> = O extends { requestBody?: { content: { "application/json": infer B } } } ? B : never;
type PathValues<O> = O extends { parameters: { path: infer V } } ? V : unknown;
type Query<O> = O extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never;

interface Call<O> {
  path?: PathValues<O>;
  query?: Query<O>;
  body?: Body<O>;
}

/** Sends control calls to the mock at *url*. *token* is its `--control-token`, if it has one. */
export class Control {
  readonly url: string;

  constructor(
    url: string,
    private readonly token: string | undefined = process.env["SCREENTEST_CONTROL_TOKEN"],
  ) {
    this.url = url.replace(/\/+$/, "");
  }

  get<P extends PathsOf<"get">>(path: P, call: Call<paths[P]["get"]> = {}): Promise<Result<paths[P]["get"]>> {
    return this.call("get", path, call);
  }

  post<P extends PathsOf<"post">>(path: P, call: Call<paths[P]["post"]> = {}): Promise<Result<paths[P]["post"]>> {
    return this.call("post", path, call);
  }

  patch<P extends PathsOf<"patch">>(path: P, call: Call<paths[P]["patch"]> = {}): Promise<Result<paths[P]["patch"]>> {
    return this.call("patch", path, call);
  }

  delete<P extends PathsOf<"delete">>(path: P, call: Call<paths[P]["delete"]> = {}): Promise<Result<paths[P]["delete"]>> {
    return this.call("delete", path, call);
  }

  /**
   * The result of any call, also of one that the contract of this package does not have.
   *
   * Throws a `ControlError` for a refusal, a `MockGoneError` when nothing answers, and a
   * `WrongServerError` when the server is not a mock of a version that this package knows.
   */
  async call<T>(
    method: string,
    path: string,
    call: { path?: unknown; query?: unknown; body?: unknown } = {},
  ): Promise<T> {
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const headers: Record<string, string> = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (this.token) headers["Authorization"] = `Bearer ${this.token}`;
    const url = `${this.url}/_screentest${filled(path, call.path)}${queryOf(call.query)}`;
    let answer: Answer;
    try {
      answer = await send(method.toUpperCase(), url, headers, body);
    } catch (error) {
      throw new MockGoneError(`no mock answers at ${this.url} (${(error as Error).message})${lastLines()}`);
    }
    this.checkVersion(answer);
    if (answer.status >= 400) throw this.refusal(answer, path);
    const isJson = answer.headers["content-type"]?.startsWith("application/json");
    return (isJson ? JSON.parse(answer.text) : answer.text || undefined) as T;
  }

  private checkVersion(answer: Answer): void {
    const version = answer.headers["x-screentest-control"];
    if (version === undefined) {
      throw new WrongServerError(`${this.url} is not a screentest mock: its answers have no X-Screentest-Control header`);
    }
    if (version === CONTROL_VERSION) return;
    const update = Number(version) > Number(CONTROL_VERSION) ? "npm install -D @screentest/client@latest" : "pip install -U screentest";
    throw new WrongServerError(`the mock at ${this.url} has version ${version} of the control API, and @screentest/client needs ${CONTROL_VERSION}: ${update}`);
  }

  private refusal(answer: Answer, path: string): Error {
    const problem = JSON.parse(answer.text) as { code: string; detail: string };
    const isMissing = answer.status === 405 || (answer.status === 404 && problem.code === "not_found");
    if (isMissing || problem.code === "unknown_field" || problem.code === "unknown_query_parameter") {
      const hint = `; if the mock at ${this.url} is older than this package: pip install -U screentest`;
      return new ControlError(answer.status, problem.code, `${path}: ${problem.detail}${hint}`);
    }
    return new ControlError(answer.status, problem.code, problem.detail);
  }
}

function filled(path: string, values: unknown): string {
  const given = (values ?? {}) as Record<string, string>;
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(given[name] ?? ""));
}

function queryOf(values: unknown): string {
  const pairs = Object.entries((values ?? {}) as Record<string, unknown>);
  const given = pairs.filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]);
  return given.length ? `?${new URLSearchParams(given as [string, string][])}` : "";
}

/** The end of the mock's log, when the global set-up of this package started the mock. */
function lastLines(): string {
  const file = process.env[LOG_VARIABLE];
  if (!file) return "; start it with `screentest serve`, or use the global set-up @screentest/client/setup";
  try {
    const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(-LAST_LINES);
    return `; the last lines of its log (${file}):\n  ${lines.join("\n  ")}`;
  } catch {
    return `; its log ${file} cannot be read`;
  }
}
