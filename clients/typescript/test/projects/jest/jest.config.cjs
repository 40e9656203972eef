const { transform, transformIgnorePatterns } = require("../../../jest.config.cjs");

module.exports = { globalSetup: "@screentest/client/setup", transform, transformIgnorePatterns };
