// Imported before all else, so that an older Node is told as such, and not by whatever it happens not to know first. All that
// is imported beside this must therefore be known to older releases: `node:sqlite` is asked for when a store is opened.
const WANTED = "24.15";
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < 24 || (major === 24 && minor < 15)) {
  const error = new Error(`Hostwright needs Node ${WANTED} or later, and this is Node ${process.versions.node}.`);
  // Where it was imported says nothing to who reads it.
  error.stack = `${error.name}: ${error.message}`;
  throw error;
}
