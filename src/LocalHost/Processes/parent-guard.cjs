// Required before Azurite (node --require): ends it when its standard input ends, which is when its parent died. Ctrl-C and a closed terminal
// reach the whole group, and are the parent's to answer: it says in which order all end.
'use strict';

const parentsOwn = new Set(['SIGINT', 'SIGHUP']);
const deaf = (listen) => (event, listener) => parentsOwn.has(event) ? process : listen.call(process, event, listener);
for (const signal of parentsOwn) process.on(signal, () => {});
process.on = process.addListener = deaf(process.on);
process.once = deaf(process.once);

const goneAfter = 1500; // ms for a clean end
const parentGone = () => {
  setTimeout(() => process.exit(1), goneAfter).unref();
  // The program's own handlers, if it has any yet, close files properly; process.kill would skip them on Windows.
  if (!process.emit('SIGTERM')) process.exit(1);
};
process.stdin.once('end', parentGone).once('error', parentGone).resume();
process.stdin.unref(); // the guard alone keeps nothing alive

// Once Azurite has closed its three services, all is on the disk. It would still wait for connections whose last request nobody answers any more.
let services = 3;
const log = console.log;
console.log = (...what) => {
  log(...what);
  if (/^Azurite \w+ service successfully closed$/.test(what[0]) && --services === 0) process.exit(0);
};

// Its telemetry is off (--disableTelemetry), but it would load the library for it and start that: 2,700 of the 3,400 files that it reads, most of a start.
const Module = require('node:module');
const load = Module._load;
const telemetry = { start() {} };
Module._load = (request, ...rest) => request === 'applicationinsights' ? telemetry : load(request, ...rest);
