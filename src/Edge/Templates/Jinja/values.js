// Python's values as far as chat templates use them, for @huggingface/jinja, whose classes are these scripts' globals: comparison, formats, methods
// (https://docs.python.org/3/library/stdtypes.html).
(function () {
  "use strict";
  const isMissing = (value) => value === undefined || value instanceof NullValue || value instanceof UndefinedValue;
  const str = (value) => isMissing(value) ? "" : value.toString();
  const wrap = convertToRuntimeValues;
  const keyed = (object) => Array.from(object.value, ([key, value]) => new ArrayValue([wrap(key), value]));

  function same(a, b) {
    if (a instanceof ArrayValue && b instanceof ArrayValue)
      return a.value.length === b.value.length && a.value.every((item, i) => same(item, b.value[i]));
    if (a instanceof ObjectValue && b instanceof ObjectValue)
      return a.value.size === b.value.size && Array.from(a.value).every(([key, value]) => b.value.has(key) && same(value, b.value.get(key)));
    return a.value === b.value;
  }

  function contains(container, item) {
    if (container instanceof ArrayValue) return container.value.some((other) => same(item, other));
    if (container instanceof ObjectValue) return container.value.has(item.value);
    if (container instanceof StringValue) return item instanceof StringValue && container.value.includes(item.value);
    if (container instanceof UndefinedValue) return false;
    throw new Error(`argument of type ${container.type} is not iterable`);
  }

  /** Undefined is empty, as Jinja2's is. */
  function items(value) {
    if (value instanceof ArrayValue) return value.value;
    if (value instanceof ObjectValue) return value.keys().value;
    if (value instanceof StringValue) return Array.from(value.value, wrap);
    if (value instanceof UndefinedValue) return [];
    throw new Error(`${value.type} is not iterable`);
  }

  function index(position) {
    if (position < 0) throw new Error("there is no such item");
    return position;
  }

  // Formats: "%5.2f" % x, and "{:>5.2f}".format(x). Groups that match nothing are empty texts to Jint, and undefined elsewhere.
  function shaped(value, fill, align, width, precision, kind) {
    const number = () => value instanceof StringValue ? NaN : Number(value.value);
    let text = str(value);
    if (kind === "d" || kind === "i") text = String(Math.trunc(number()));
    else if (kind === "f") text = number().toFixed(precision || 6);
    else if (kind === "x") text = Math.trunc(number()).toString(16);
    else if (precision) text = text.slice(0, precision);
    const least = Number(width || 0);
    return align === "<" ? text.padEnd(least, fill) : text.padStart(least, fill);
  }
  function percent(format, value) {
    const rest = value instanceof ArrayValue ? Array.from(value.value) : [value];
    return format.replace(/%(?:\((\w+)\))?([-0]?)(\d+)?(?:\.(\d+))?([sdifxr%])/g, (_, name, flag, width, precision, kind) =>
      kind === "%" ? "%" : shaped(name ? value.value.get(name) : rest.shift(), flag === "0" ? "0" : " ", flag === "-" ? "<" : ">", width, precision, kind));
  }
  function braces(format, args, named) {
    let next = 0;
    return format.replace(/\{\{|\}\}|\{(\w*)(?::(0?)([<>]?)(\d+)?(?:\.(\d+))?([sdfx]?))?\}/g, (all, name, zero, align, width, precision, kind) => {
      if (all === "{{" || all === "}}") return all[0];
      const value = !name ? args[next++] : /^\d+$/.test(name) ? args[name] : named.get(name);
      return shaped(value, zero || " ", align || (value instanceof StringValue ? "<" : ">"), width, precision, kind);
    });
  }

  function trimmed(text, chars, atStart, atEnd) {
    let start = 0, end = text.length;
    while (atStart && start < end && chars.includes(text[start])) start++;
    while (atEnd && end > start && chars.includes(text[end - 1])) end--;
    return text.slice(start, end);
  }
  function split(text, separator, most) {
    const parts = separator === undefined ? text.trim().split(/\s+/) : text.split(separator);
    const over = most === undefined || most < 0 ? 0 : parts.length - 1 - most;
    return over > 0 ? [parts.slice(0, over + 1).join(separator ?? " "), ...parts.slice(over + 1)] : parts;
  }
  const parted = (text, at, separator) => at < 0 ? null : [text.slice(0, at), separator, text.slice(at + separator.length)];

  // Methods get the value, then arguments as JavaScript's; those in whole get them as they are. No prototype: a template sees what stands here only.
  const methods = (table) => Object.assign(Object.create(null), table);
  const text = methods({
    find: (s, part, from) => s.indexOf(part, from),
    rfind: (s, part) => s.lastIndexOf(part),
    index: (s, part) => index(s.indexOf(part)),
    count: (s, part) => s.split(part).length - 1,
    rsplit: (s, separator, most) => split(s, separator ?? undefined, most),
    splitlines: (s) => s === "" ? [] : s.replace(/\r?\n$/, "").split(/\r?\n/),
    partition: (s, separator) => parted(s, s.indexOf(separator), separator) ?? [s, "", ""],
    rpartition: (s, separator) => parted(s, s.lastIndexOf(separator), separator) ?? ["", "", s],
    removeprefix: (s, part) => s.startsWith(part) ? s.slice(part.length) : s,
    removesuffix: (s, part) => part !== "" && s.endsWith(part) ? s.slice(0, -part.length) : s,
    strip: (s, chars) => chars == null ? s.trim() : trimmed(s, chars, true, true),
    lstrip: (s, chars) => chars == null ? s.trimStart() : trimmed(s, chars, true, false),
    rstrip: (s, chars) => chars == null ? s.trimEnd() : trimmed(s, chars, false, true),
    isdigit: (s) => /^[0-9]+$/.test(s),
    isspace: (s) => s !== "" && s.trim() === "",
  });
  const textWhole = methods({
    format: (s, args, named) => new StringValue(braces(s.value, args, named)),
    join: (s, [parts]) => new StringValue(items(parts).map(str).join(s.value)),
  });
  const list = methods({
    append: ({ value }, [item]) => { value.push(item); },
    extend: ({ value }, [more]) => { for (const item of Array.from(items(more))) value.push(item); },
    insert: ({ value }, [at, item]) => { value.splice(at.value, 0, item); },
    pop: ({ value }, [at]) => value.splice(index(value.length - 1) && (at?.value ?? -1), 1)[0],
    remove: ({ value }, [item]) => { value.splice(index(value.findIndex((other) => same(item, other))), 1); },
    index: ({ value }, [item]) => wrap(index(value.findIndex((other) => same(item, other)))),
    count: ({ value }, [item]) => wrap(value.filter((other) => same(item, other)).length),
    reverse: ({ value }) => { value.reverse(); },
    copy: ({ value }) => new ArrayValue(value.slice()),
  });
  const dict = methods({
    get: ({ value }, [key, otherwise]) => value.get(key.value) ?? otherwise ?? new NullValue(),
    pop: ({ value }, [key, otherwise]) => {
      const found = value.get(key.value) ?? otherwise;
      if (found === undefined) throw new Error(`there is no key ${str(key)}`);
      value.delete(key.value);
      return found;
    },
    setdefault: ({ value }, [key, otherwise]) => {
      if (!value.has(key.value)) value.set(key.value, otherwise ?? new NullValue());
      return value.get(key.value);
    },
    update: ({ value }, [more], named) => { merge(value, more, named); },
    copy: ({ value }) => new ObjectValue(new Map(value)),
  });
  function merge(map, more, named) {
    if (more instanceof ObjectValue) for (const [key, value] of more.value) map.set(key, value);
    else if (more !== undefined) for (const { value: [key, value] } of items(more)) map.set(key.value, value);
    for (const [key, value] of named) map.set(key, value);
  }

  const callable = (run) => new FunctionValue((args) => {
    const named = args.at(-1) instanceof KeywordArgumentsValue ? args.at(-1).value : new Map();
    return run(args.filter((arg) => !(arg instanceof KeywordArgumentsValue)), named) ?? new NullValue();
  });
  function method(object, name) {
    if (object instanceof StringValue) {
      if (text[name]) return callable((args, named) => wrap(text[name](object.value, ...args.map((arg) => arg.value), ...(named.has("maxsplit") ? [named.get("maxsplit").value] : []))));
      if (textWhole[name]) return callable((args, named) => textWhole[name](object, args, named));
    } else {
      const own = object instanceof ArrayValue ? list[name] : object instanceof ObjectValue ? dict[name] : undefined;
      if (own) return callable((args, named) => own(object, args, named));
    }
    return object.builtins.get(name);
  }
  function attribute(object, key) {
    if (object instanceof ObjectValue) return object.value.get(key) ?? method(object, key);
    if (object instanceof NamespaceValue) return object.value.get(key);
    if (typeof key !== "number") return method(object, key);
    const item = object instanceof ArrayValue || object instanceof StringValue ? object.value.at(key) : undefined;
    return typeof item === "string" ? new StringValue(item) : item;
  }

  Object.assign(module.exports, { attribute, callable, contains, isMissing, items, keyed, merge, method, methods, percent, same, str, wrap });
})();
