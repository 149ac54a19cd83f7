using System.Text.RegularExpressions;

namespace OllamaMax.Edge.Templates;

/// <summary>
/// How much a model is to reason, in the words of its template: <c>reasoning_effort</c> (gpt-oss, Mistral Small 4, Command), or <c>reasoning_strength</c> (Muse Glimmer).
/// Some templates know not to reason as a level, and some refuse levels that they do not know.
/// </summary>
internal static partial class ReasoningEffort
{
    /// <summary>From little to much.</summary>
    private static readonly string[] Levels = ["minimal", "low", "medium", "high", "xhigh", "max"];

    private static readonly string[] Off = ["none", "no_think"];

    /// <summary>A statement or an expression that reads the effort.</summary>
    [GeneratedRegex(@"\{[%{](?:(?![%}]\}).)*\breasoning_(?:effort|strength)\b(?:(?![%}]\}).)*[%}]\}", RegexOptions.Singleline)]
    private static partial Regex Reads { get; }

    [GeneratedRegex(@"\bin\s*[\[(](?<known>[^\])]*)[\])]")]
    private static partial Regex List { get; }

    [GeneratedRegex(@"(?:\belse|\bdefault\s*\()\s*['""](?:none|no_think)['""]")]
    private static partial Regex OffByDefault { get; }

    [GeneratedRegex(@"['""](?<word>\w+)['""]")]
    private static partial Regex Quoted { get; }

    /// <summary>The variable's name in the template.</summary>
    public static string Variable(string template) =>
        template.Contains("reasoning_strength", StringComparison.Ordinal) ? "reasoning_strength" : "reasoning_effort";

    /// <param name="template">The model's.</param>
    /// <param name="options">What the request says; of levels one of <c>low</c>, <c>medium</c> and <c>high</c>.</param>
    /// <returns>The variable's value; null: it is left out.</returns>
    public static string? Of(string template, TemplateOptions options)
    {
        string reads = string.Concat(Reads.Matches(template).Select(match => match.Value));
        if (options.Think == false)
            return Variable(template) == "reasoning_strength" ? Off[0] : Words(reads).FirstOrDefault(Off.Contains);
        string? level = options.ReasoningEffort ?? (options.Think == true && OffByDefault.IsMatch(reads) ? "high" : null);
        string[] known = [.. List.Matches(reads).SelectMany(list => Words(list.Groups["known"].Value)).Intersect(Levels)];
        return level is null || known.Length == 0 ? level : Nearest(level, known);
    }

    private static IEnumerable<string> Words(string code) => Quoted.Matches(code).Select(match => match.Groups["word"].Value);

    /// <summary>The level, or the next above it, or the highest.</summary>
    private static string Nearest(string level, string[] known)
    {
        int least = Array.IndexOf(Levels, level);
        string[] ordered = [.. Levels.Intersect(known)];
        return Array.Find(ordered, other => Array.IndexOf(Levels, other) >= least) ?? ordered[^1];
    }
}
