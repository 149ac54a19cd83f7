// The names that Hugging Face's apply_chat_template gives templates. The library's own Template is not used, because its clock is the machine's.
(function (strftimeNow, longestString) {
  "use strict";
  const { Environment, Interpreter, callable, merge, parse, prepared, tokenize } = module.exports;

  class Refusal extends Error {
    constructor(message) { super(message); this.refusal = true; }
  }

  // What native code builds in one step is bounded here: the interpreter looks at its limits between steps only.
  function bound(prototype, name, lengthOf) {
    const original = prototype[name];
    prototype[name] = function (...given) {
      if (lengthOf(this, given[0]) > longestString) throw new RangeError("the template builds a string that is too long");
      return original.apply(this, given);
    };
  }
  bound(String.prototype, "repeat", (text, count) => text.length * count);
  bound(String.prototype, "padStart", (text, length) => length);
  bound(String.prototype, "padEnd", (text, length) => length);
  bound(Array.prototype, "join", (items, separator) => {
    let length = items.length * (separator === undefined ? 1 : String(separator).length);
    for (const item of items) length += typeof item === "string" ? item.length : 0;
    return length;
  });

  const constants = { true: true, false: false, none: null, True: true, False: false, None: null };
  return {
    compile: (source) => {
      const { tokens, isRecursive } = prepared(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
      return { program: parse(tokens), isRecursive };
    },
    render: ({ program, isRecursive }, json) => {
      const environment = new Environment();
      for (const [name, value] of Object.entries({ ...constants, ...JSON.parse(json) })) environment.set(name, value);
      environment.set("range", (start, stop, step = 1) => {
        if (stop === undefined) { stop = start; start = 0; }
        if (step === 0) throw new Error("range() step must not be zero");
        const numbers = [];
        for (let i = start; step > 0 ? i < stop : i > stop; i += step) numbers.push(i);
        return numbers;
      });
      environment.set("raise_exception", (message) => { throw new Refusal(String(message)); });
      environment.set("strftime_now", (format) => strftimeNow(String(format)));
      environment.setVariable("dict", callable(([pairs], named) => {
        const map = new Map();
        merge(map, pairs, named);
        return new ObjectValue(map);
      }));
      const interpreter = new Interpreter(environment);
      interpreter.isRecursive = isRecursive;
      return interpreter.run(program).value;
    },
  };
})
