/**
 * Leads the connections of Node.js to the mock: those to the providers' hosts, on the port of https.
 * Any other connection beyond this machine fails.
 *
 * Node.js has variables for proxies since 22.21 and 24.5 only, and every client of it opens its
 * connections with this one function.
 */
"use strict";

const net = require("node:net");

const [port, ...hosts] = (process.env.SCREENTEST_INTERCEPTED ?? "").split(" ");
const LOCAL = /^(localhost|.*\.localhost|127\.[\d.]+|::1|0\.0\.0\.0|::)$/i;
const connect = net.Socket.prototype.connect;

function wanted(first, second) {
  if (Array.isArray(first)) return wanted(...first);
  if (first !== null && typeof first === "object") return first;
  const isPath = typeof first === "string" && !/^\d+$/.test(first);
  if (isPath) return { path: first };
  return { port: first, ...(typeof second === "string" ? { host: second } : {}) };
}

if (port) {
  net.Socket.prototype.connect = function (...given) {
    const options = wanted(...given);
    const host = (options.host || "localhost").replace(/\.$/, "").toLowerCase();
    if (options.path || LOCAL.test(host)) return connect.apply(this, given);
    if (hosts.includes(host) && Number(options.port) === 443) {
      const listener = (Array.isArray(given[0]) ? given[0] : given).find((it) => typeof it === "function");
      const led = { ...options, host: "127.0.0.1", port: Number(port) };
      delete led.lookup;
      return listener ? connect.call(this, led, listener) : connect.call(this, led);
    }
    const detail = `screentest: ${host}:${options.port} is not an https host of a provider, and no other is reached`;
    process.nextTick(() => this.destroy(Object.assign(new Error(detail), { code: "ECONNREFUSED" })));
    return this;
  };
}
