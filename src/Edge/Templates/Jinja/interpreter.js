// What @huggingface/jinja lacks of Jinja2 where chat templates use it (https://jinja.palletsprojects.com/en/stable/templates/): filters, tests, operators, and
// the interpreter's methods that ask for them.
(function () {
  "use strict";
  const { attribute, callable, contains, isMissing, items, keyed, method, methods, percent, same, str, wrap } = module.exports;

  // Filters give undefined where the library's own is to be asked.
  const named = (name, args) => ({ type: "CallExpression", callee: { type: "Identifier", value: name }, args: args.map(literal) });
  const literal = (value) => ({ type: "Value", value });
  const ofStrings = ["upper", "lower", "title", "capitalize", "trim", "indent", "replace"];
  function tested(environment, [name, ...args]) {
    if (name === undefined) return (item) => item.__bool__().value;
    const test = environment.tests.get(name.value);
    if (!test) throw new Error(`Unknown test: ${name.value}`);
    return (item) => test(item, ...args);
  }
  const chosen = (operand, test, wanted) => new ArrayValue(isMissing(operand) ? [] : items(operand).filter((item) => test(item) === wanted));
  function chosenBy(operand, [path, ...test], wanted, environment) {
    const passes = tested(environment, test);
    return chosen(operand, (item) => passes(getAttributeValue(item, str(path))), wanted);
  }
  const extreme = (operand, sign) => items(operand).reduce((best, item) => best === undefined || sign * compareRuntimeValues(item, best) > 0 ? item : best, undefined) ?? new UndefinedValue();
  const filters = methods({
    string: (operand) => new StringValue(str(operand)),
    list: (operand) => new ArrayValue(Array.from(items(operand))),
    items: (operand) => operand instanceof UndefinedValue ? new ArrayValue([]) : undefined,
    length: (operand) => operand instanceof UndefinedValue ? new IntegerValue(0) : undefined,
    first: (operand) => items(operand)[0] ?? new UndefinedValue(),
    last: (operand) => items(operand).at(-1) ?? new UndefinedValue(),
    min: (operand) => extreme(operand, -1),
    max: (operand) => extreme(operand, 1),
    sum: (operand, args, kwargs) => {
      const path = args[0] ?? kwargs.get("attribute");
      const values = items(operand).map((item) => isMissing(path) ? item.value : getAttributeValue(item, str(path)).value);
      return wrap(values.reduce((a, b) => a + b, (args[1] ?? kwargs.get("start"))?.value ?? 0));
    },
    batch: (operand, args, kwargs) => {
      const all = items(operand), size = Math.max(1, args[0].value), fill = args[1] ?? kwargs.get("fill_with"), rows = [];
      for (let i = 0; i < all.length; i += size) rows.push(new ArrayValue(all.slice(i, i + size)));
      while (!isMissing(fill) && rows.length > 0 && rows.at(-1).value.length < size) rows.at(-1).value.push(fill);
      return new ArrayValue(rows);
    },
    format: (operand, args, kwargs) => new StringValue(percent(str(operand), kwargs.size > 0 ? new ObjectValue(kwargs) : new ArrayValue(args))),
    wordcount: (operand) => wrap((str(operand).match(/\S+/g) ?? []).length),
    round: (operand, args) => new FloatValue(Math.round(operand.value * 10 ** (args[0]?.value ?? 0)) / 10 ** (args[0]?.value ?? 0)),
    select: (operand, args, kwargs, environment) => chosen(operand, tested(environment, args), true),
    reject: (operand, args, kwargs, environment) => chosen(operand, tested(environment, args), false),
    selectattr: (operand, args, kwargs, environment) => chosenBy(operand, args, true, environment),
    rejectattr: (operand, args, kwargs, environment) => chosenBy(operand, args, false, environment),
    dictsort: (operand, args, kwargs) => {
      const at = (args[1] ?? kwargs.get("by"))?.value === "value" ? 1 : 0, sign = (args[2] ?? kwargs.get("reverse"))?.value ? -1 : 1;
      const exact = (args[0] ?? kwargs.get("case_sensitive"))?.value ?? false;
      return new ArrayValue(keyed(operand).sort((a, b) => sign * compareRuntimeValues(a.value[at], b.value[at], exact)));
    },
  });
  const aliases = methods({ count: "length", d: "default" });

  /** Undefined where the library knows as much. */
  function operate(operator, left, right) {
    const isText = left instanceof StringValue || right instanceof StringValue;
    switch (operator) {
      case "~":
        return new StringValue(str(left) + str(right));
      case "+":
        return isText ? new StringValue(str(left) + str(right)) : undefined;
      case "*":
        return left instanceof StringValue && right instanceof IntegerValue ? new StringValue(left.value.repeat(Math.max(0, right.value))) : undefined;
      case "%":
        return left instanceof StringValue ? new StringValue(percent(left.value, right)) : undefined;
      case "in":
      case "not in":
        return new BooleanValue(contains(right, left) === (operator === "in"));
      case "==":
      case "!=":
        return left instanceof ArrayValue || left instanceof ObjectValue ? new BooleanValue(same(left, right) === (operator === "==")) : undefined;
    }
    if (!(left instanceof StringValue && right instanceof StringValue)) return undefined;
    const order = compareRuntimeValues(left, right, true);
    return new BooleanValue(operator === "<" ? order < 0 : operator === "<=" ? order <= 0 : operator === ">" ? order > 0 : order >= 0);
  }

  const override = (type, name, make) => { type.prototype[name] = make(type.prototype[name]); };
  override(ObjectValue, "items", () => function () { return new ArrayValue(keyed(this)); });
  override(ObjectValue, "keys", () => function () { return new ArrayValue(Array.from(this.value.keys(), wrap)); });
  override(Interpreter, "evaluate", (original) => function (node, environment) {
    switch (node?.type) {
      case "Value":
        return node.value;
      case "TupleLiteral": // The library takes its tuples for no sequences in some places.
        return new ArrayValue(node.value.map((item) => this.evaluate(item, environment)));
      case "ObjectLiteral":
        return new ObjectValue(new Map(Array.from(node.value, ([key, value]) => [this.evaluate(key, environment).value, this.evaluate(value, environment)])));
    }
    return original.call(this, node, environment);
  });
  override(Interpreter, "evaluateMemberExpression", () => function (node, environment) {
    const object = this.evaluate(node.object, environment);
    if (node.computed && node.property.type === "SliceExpression") return this.evaluateSliceExpression(object, node.property, environment);
    return attribute(object, node.computed ? this.evaluate(node.property, environment).value : node.property.value) ?? new UndefinedValue();
  });
  override(Interpreter, "evaluateCallExpression", (original) => function (node, environment) {
    let { callee } = node;
    if (callee.type === "MemberExpression" && !callee.computed) {
      // An object's method comes before its field of that name: schemas have fields "items".
      const object = this.evaluate(callee.object, environment), name = callee.property.value;
      callee = literal((object instanceof ObjectValue ? method(object, name) : undefined) ?? attribute(object, name) ?? new UndefinedValue());
    } else if (this.isRecursive && callee.value === "loop") {
      callee = literal(environment.lookupVariable("loop()"));
    }
    return original.call(this, { type: node.type, callee, args: node.args }, environment);
  });
  override(Interpreter, "evaluateBinaryExpression", (original) => function (node, environment) {
    const operator = node.operator.value;
    if (operator === "and" || operator === "or") return original.call(this, node, environment);
    const left = this.evaluate(node.left, environment), right = this.evaluate(node.right, environment);
    return operate(operator, left, right) ?? original.call(this, { operator: node.operator, left: literal(left), right: literal(right) }, environment);
  });
  override(Interpreter, "applyFilter", (original) => function (operand, node, environment) {
    const isCall = node.type === "CallExpression", given = isCall ? node.callee.value : node.value, name = aliases[given] ?? given;
    if (ofStrings.includes(name) && !(operand instanceof StringValue)) return this.applyFilter(new StringValue(str(operand)), node, environment);
    const [args, kwargs] = isCall && (filters[name] || name === "map") ? this.evaluateArguments(node.args, environment) : [[], new Map()];
    if (name === "map" && !kwargs.has("attribute"))
      return new ArrayValue(items(operand).map((item) => this.applyFilter(item, args.length > 1 ? named(args[0].value, args.slice(1)) : { type: "Identifier", value: args[0].value }, environment)));
    const found = filters[name]?.call(this, operand, args, kwargs, environment);
    return found ?? original.call(this, operand, isCall ? { ...node, callee: { type: "Identifier", value: name } } : name === "default" ? named(name, []) : { type: "Identifier", value: name }, environment);
  });
  override(Interpreter, "evaluateSet", (original) => function (node, environment) {
    const target = node.assignee.type === "MemberExpression" && node.value ? this.evaluate(node.assignee.object, environment) : undefined;
    if (!(target instanceof ObjectValue)) return original.call(this, node, environment);
    target.value.set(node.assignee.property.value, this.evaluate(node.value, environment)); // Jinja2 refuses it, MiroThinker's template needs it.
    return new NullValue();
  });
  override(Interpreter, "evaluateFor", (original) => function (node, environment) {
    const isSelected = node.iterable.type === "SelectExpression";
    const over = literal(new ArrayValue(items(this.evaluate(isSelected ? node.iterable.lhs : node.iterable, environment))));
    const scope = this.isRecursive ? new Environment(environment) : environment;
    if (this.isRecursive) scope.setVariable("loop()", callable(([inner]) => this.evaluateFor({ ...node, iterable: literal(inner) }, environment)));
    return original.call(this, { ...node, iterable: isSelected ? { ...node.iterable, lhs: over } : over }, scope);
  });
  const { tests } = new Environment();
  const order = (holds) => (a, b) => holds(compareRuntimeValues(a, b, true));
  tests.set("iterable", (value) => value instanceof ArrayValue || value instanceof StringValue || value instanceof ObjectValue);
  tests.set("float", (value) => value instanceof FloatValue).set("in", (value, container) => contains(container, value));
  tests.set("equalto", same).set("eq", same).set("==", same).set("ne", (a, b) => !same(a, b)).set("!=", (a, b) => !same(a, b));
  tests.set("lt", order((n) => n < 0)).set("le", order((n) => n <= 0)).set("gt", order((n) => n > 0)).set("ge", order((n) => n >= 0));

  /** "do x" as "set _ = x", and loops that may be called. */
  function prepared(tokens) {
    const all = [];
    let isRecursive = false, statement;
    tokens.forEach((token, i) => {
      const isFirst = tokens[i - 1]?.type === TOKEN_TYPES.OpenStatement, isLast = tokens[i + 1]?.type === TOKEN_TYPES.CloseStatement;
      if (isFirst) statement = token.value;
      if (isFirst && token.value === "do") {
        all.push(new Token("set", token.type), new Token("_", token.type), new Token("=", TOKEN_TYPES.Equals));
      } else if (statement === "for" && isLast && token.value === "recursive" && tokens[i - 1].value !== "in") {
        isRecursive = true;
      } else {
        all.push(token);
      }
    });
    return { tokens: all, isRecursive };
  }

  module.exports.prepared = prepared;
})();
