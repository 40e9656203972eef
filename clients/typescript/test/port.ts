import type http from "node:http";
import type { AddressInfo } from "node:net";

export const portOf = (server: http.Server): number => (server.address() as AddressInfo).port;
