// Required before Azurite (node --require): ends it when its standard input ends, which is when its parent wants it to, or died. Ctrl-C, a closed terminal
// and the SIGTERM of a service manager reach the whole group, and are the parent's to answer: it says in which order all end.
// What it has answered for is on the disk then. What it would load for its telemetry, which is off, is left out.
'use strict';

const fs = require('node:fs');
const Module = require('node:module');

// Its indices (Loki databases) are in memory, and are written every 5 s, each as a whole. Closing its services writes those that have changed, but waits neither
// for one that is being written just now nor for requests that are still being answered. So what is not on the disk yet is written last, in one go
// with the end: nothing can be answered in between. One without collections has not been read yet.
const indices = [];
const exit = (code) => {
  for (const index of indices.filter((index) => index.autosave && index.collections.length > 0 && (index.autosaveDirty() || index.throttledSavePending))) {
    fs.writeFileSync(`${index.filename}~last`, index.serialize());
    fs.renameSync(`${index.filename}~last`, index.filename);
  }
  process.exit(code);
};
const written = (index) => new Promise((resolve) => index.throttledSaveDrain(resolve));

const endsWithin = 1500; // ms, less than StopGraces.Azurite
let isEnding = false;
const end = () => {
  if (isEnding) return; // its handlers are gone, which would be taken for having had none
  isEnding = true;
  setTimeout(() => exit(1), endsWithin).unref();
  // The program's own handlers, if it has any yet, close files properly.
  if (!process.emit('end')) exit(1);
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

// Once Azurite has closed its three services, it would still wait for connections whose last request nobody answers any more.
let services = 3;
const log = console.log;
console.log = (...what) => {
  log(...what);
  if (/^Azurite \w+ service successfully closed$/.test(what[0]) && --services === 0) Promise.all(indices.map(written)).then(() => exit(0));
};

// Its telemetry is off (--disableTelemetry), but it would load the library for it and start that: 2,700 of the 3,400 files that it reads, most of a start.
const telemetry = { start() {} };
const load = Module._load;
const noted = (Loki) => class extends Loki {
  constructor(...options) {
    super(...options);
    indices.push(this);
  }
};
Module._load = (request, ...rest) => {
  if (request === 'applicationinsights') return telemetry;
  const loaded = load(request, ...rest);
  return request === 'lokijs' ? noted(loaded) : loaded;
};
