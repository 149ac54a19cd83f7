// Required before a Node program (node --require): ends it when its standard input ends, which is when its parent died.
'use strict';

const goneAfter = 1500; // ms for a clean end
const parentGone = () => {
  setTimeout(() => process.exit(1), goneAfter).unref();
  // The program's own handlers, if it has any yet, close files properly; process.kill would skip them on Windows.
  if (!process.emit('SIGTERM')) process.exit(1);
};
process.stdin.once('end', parentGone).once('error', parentGone).resume();
process.stdin.unref(); // the guard alone keeps nothing alive
