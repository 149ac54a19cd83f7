using System.Globalization;
using System.Text.RegularExpressions;

namespace OllamaMax.Models.Gguf;

/// <summary>Names of the files of a split GGUF, as llama.cpp's <c>llama-gguf-split</c> writes them: <c>model-00001-of-00003.gguf</c>.</summary>
public static partial class GgufSplit
{
    /// <summary>More than any model that is known has.</summary>
    public const int MostParts = 1000;

    /// <summary>The names of all its parts in their order; null: the name is no part's.</summary>
    /// <param name="name">Of any of the parts; what stands before the number, a folder too, is that of all.</param>
    public static IReadOnlyList<string>? PartsOf(string name)
    {
        Match match = Part.Match(name);
        if (!match.Success)
            return null;
        int number = int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture);
        int count = int.Parse(match.Groups["count"].ValueSpan, CultureInfo.InvariantCulture);
        string stem = match.Groups["stem"].Value;
        return count is >= 1 and <= MostParts && number >= 1 && number <= count
            ? [.. Enumerable.Range(1, count).Select(part => string.Create(CultureInfo.InvariantCulture, $"{stem}-{part:d5}-of-{count:d5}{match.Groups["end"].Value}"))]
            : null;
    }

    /// <summary>The name without its number and ending: what the parts make together. Null: the name is no part's.</summary>
    public static string? StemOf(string name) => Part.Match(name) is { Success: true } match ? match.Groups["stem"].Value : null;

    [GeneratedRegex(@"^(?<stem>.*[^/\\])-(?<number>[0-9]{5})-of-(?<count>[0-9]{5})(?<end>\.gguf)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Part { get; }
}
