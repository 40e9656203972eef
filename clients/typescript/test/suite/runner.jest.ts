export { test } from "@screentest/client/jest";
const given = expect;
export { given as expect };
