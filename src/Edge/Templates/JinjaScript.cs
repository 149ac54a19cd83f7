using Acornima.Ast;
using Jint;

namespace OllamaMax.Edge.Templates;

/// <summary><c>@huggingface/jinja</c> and the few lines around it, parsed once for all engines.</summary>
internal sealed class JinjaScript
{
    /// <summary>
    /// Gives the library's parts the names that Hugging Face's <c>apply_chat_template</c> gives templates. Its own
    /// <c>Template</c> class is not used, because its clock is the machine's. What native code builds in one step is bounded
    /// here: the interpreter looks at its limits between steps only.
    /// </summary>
    private const string Adapter = """
        (function (strftimeNow, longestString) {
          "use strict";
          const { Environment, Interpreter, parse, tokenize } = module.exports;
          class Refusal extends Error {
            constructor(message) { super(message); this.refusal = true; }
          }
          function bound(prototype, name, lengthOf) {
            const original = prototype[name];
            prototype[name] = function (argument) {
              if (lengthOf(this, argument) > longestString) throw new RangeError("the template builds a string that is too long");
              return original.call(this, argument);
            };
          }
          bound(String.prototype, "repeat", (text, count) => text.length * count);
          bound(Array.prototype, "join", (items, separator) => {
            let length = items.length * (separator === undefined ? 1 : String(separator).length);
            for (const item of items) length += typeof item === "string" ? item.length : 0;
            return length;
          });
          return {
            compile: (source) => parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })),
            render: (program, json) => {
              const environment = new Environment();
              const set = (name, value) => environment.set(name, value);
              set("true", true); set("false", false); set("none", null);
              set("True", true); set("False", false); set("None", null);
              set("range", (start, stop, step = 1) => {
                if (stop === undefined) { stop = start; start = 0; }
                if (step === 0) throw new Error("range() step must not be zero");
                const numbers = [];
                for (let i = start; step > 0 ? i < stop : i > stop; i += step) numbers.push(i);
                return numbers;
              });
              set("raise_exception", (message) => { throw new Refusal(String(message)); });
              set("strftime_now", (format) => strftimeNow(String(format)));
              const input = JSON.parse(json);
              for (const name of Object.keys(input)) set(name, input[name]);
              return new Interpreter(environment).run(program).value;
            },
          };
        })
        """;

    private readonly Lazy<Prepared<Script>> _library;
    private readonly Lazy<Prepared<Script>> _adapter;

    /// <exception cref="FileNotFoundException">The library is not where it is looked for; the message says what to do.</exception>
    public JinjaScript(string? configuredPath)
    {
        string path = Find(configuredPath);
        _library = new(() => Engine.PrepareScript(File.ReadAllText(path), path));
        _adapter = new(() => Engine.PrepareScript(Adapter, "adapter"));
    }

    public Prepared<Script> Library => _library.Value;

    /// <summary>Evaluates to a function of (strftimeNow, longestString) that gives <c>{ compile, render }</c>.</summary>
    public Prepared<Script> AdapterScript => _adapter.Value;

    private static string Find(string? configuredPath)
    {
        string[] places = configuredPath is not null
            ? [configuredPath]
            : [Path.Combine(AppContext.BaseDirectory, "jinja", "index.cjs"), .. InNodeModulesAbove(AppContext.BaseDirectory)];
        return places.FirstOrDefault(File.Exists) ?? throw new FileNotFoundException(
            $"The Jinja engine for chat templates is missing: run 'npm ci' in the checkout. Looked for {string.Join(", ", places)}.");
    }

    private static IEnumerable<string> InNodeModulesAbove(string folder)
    {
        for (DirectoryInfo? at = new(folder); at is not null; at = at.Parent)
            yield return Path.Combine(at.FullName, "node_modules", "@huggingface", "jinja", "dist", "index.cjs");
    }
}
