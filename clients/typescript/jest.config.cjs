/** The suite of test/suite in jest: the same files as in vitest. */
module.exports = {
  globalSetup: "@screentest/client/setup",
  testMatch: ["<rootDir>/test/suite/*.test.ts"],
  moduleNameMapper: {
    "^#runner$": "<rootDir>/test/suite/runner.jest.ts",
    "^(\\.{1,2}/.*)\\.js$": "$1",
  },
  transform: {
    "^.+\\.[jt]s$": [
      "ts-jest",
      {
        diagnostics: false,
        tsconfig: { module: "commonjs", target: "es2022", esModuleInterop: true, isolatedModules: true, allowJs: true },
      },
    ],
  },
  transformIgnorePatterns: ["node_modules/(?!eventsource-parser)"],
  maxWorkers: 2,
  workerThreads: true,
};
