// Required before Azurite (node --require): ends it when its standard input ends, which is when its parent wants it to, or died. Ctrl-C, a closed terminal
// and the SIGTERM of a service manager reach the whole group, and are the parent's to answer: it says in which order all end.
// What Azurite would load for its telemetry, which is off, is left out.
'use strict';

const endsWithin = 2000; // ms, as StopGraces.Azurite
let isEnding = false;
const end = () => {
  if (isEnding) return; // its handlers are gone, which would be taken for having had none
  isEnding = true;
  setTimeout(() => process.exit(1), endsWithin).unref();
  // The program's own handlers, if it has any yet, close files properly.
  if (!process.emit('end')) process.exit(1);
};
process.stdin.once('end', end).once('error', end).resume();
process.stdin.unref(); // the guard alone keeps nothing alive

// A parent that has got SIGTERM too ends all within 5 s; one that has not by then was not meant.
const meantForThisAlone = 5000;
const parentsOwn = { SIGINT: () => {}, SIGHUP: () => {}, SIGTERM: () => setTimeout(end, meantForThisAlone).unref() };
for (const [signal, answer] of Object.entries(parentsOwn)) process.on(signal, answer);
const handOver = (listen) => (event, listener) => {
  // What the program would do at SIGTERM it does when it is to end.
  if (event === 'SIGTERM') return listen.call(process, 'end', listener);
  return event in parentsOwn ? process : listen.call(process, event, listener);
};
process.on = process.addListener = handOver(process.on);
process.once = handOver(process.once);

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
