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

    [GeneratedRegex(@"\breasoning_(?:effort|strength)\b")]
    private static partial Regex Name { get; }

    [GeneratedRegex(@"\bin\s*[\[(](?<known>[^\[\]()]*)[\])]")]
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
        string reads = string.Concat(Tags(template).Where(tag => Name.IsMatch(tag)));
        if (options.Think == false)
            return Variable(template) == "reasoning_strength" ? Off[0] : Words(reads).FirstOrDefault(Off.Contains);
        string? level = options.ReasoningEffort ?? (options.Think == true && OffByDefault.IsMatch(reads) ? "high" : null);
        string[] known = [.. List.Matches(reads).SelectMany(list => Words(list.Groups["known"].Value)).Intersect(Levels)];
        return level is null || known.Length == 0 ? level : Nearest(level, known);
    }

    /// <summary>Statements and expressions. One pass, whatever the template is: clients may send one of their own.</summary>
    private static IEnumerable<string> Tags(string template)
    {
        for (int i = 0; (i = template.IndexOf('{', i)) >= 0; i++)
        {
            if (i + 1 == template.Length || template[i + 1] is not ('%' or '{'))
                continue;
            int end = i + 2;
            while (end + 1 < template.Length && !(template[end] is '%' or '}' && template[end + 1] == '}'))
                end++;
            if (end + 1 >= template.Length)
                yield break;
            yield return template[i..(end + 2)];
            i = end + 1;
        }
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
