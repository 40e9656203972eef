/**
 * `node --import @screentest/client/register --test`: one mock for all test files of node:test.
 *
 * Without it, each test file starts its own mock.
 */

import { setup } from "./setup.js";

await setup();
