using System.Collections.Concurrent;
using Acornima.Ast;
using Jint;

namespace OllamaMax.Edge.Templates;

/// <summary><c>@huggingface/jinja</c> and the scripts around it, which lie in <c>Jinja/</c>; parsed once for all engines of the process.</summary>
internal sealed class JinjaScript
{
    private static readonly ConcurrentDictionary<string, Lazy<Prepared<Script>[]>> s_libraries = new();
    private static readonly Lazy<Prepared<Script>> s_adapter = new(() => Own("adapter.js"));

    private readonly Lazy<Prepared<Script>[]> _library;

    /// <exception cref="FileNotFoundException">The library is not where it is looked for; the message says what to do.</exception>
    public JinjaScript(string? configuredPath)
    {
        _library = s_libraries.GetOrAdd(
            Find(configuredPath), static path => new(() => [Engine.PrepareScript(File.ReadAllText(path), path), Own("values.js"), Own("interpreter.js")]));
    }

    /// <summary>The library, and what makes up for what it lacks; to be executed in this order.</summary>
    public IReadOnlyList<Prepared<Script>> Library => _library.Value;

    /// <summary>Evaluates to a function of (strftimeNow, longestString) that gives <c>{ compile, render }</c>.</summary>
    public static Prepared<Script> AdapterScript => s_adapter.Value;

    private static Prepared<Script> Own(string name)
    {
        using Stream file = typeof(JinjaScript).Assembly.GetManifestResourceStream(typeof(JinjaScript), $"Jinja.{name}")
            ?? throw new InvalidOperationException($"The resource {name} is missing.");
        using StreamReader reader = new(file);
        return Engine.PrepareScript(reader.ReadToEnd(), name);
    }

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
