using System.IO.Enumeration;
using System.Text.RegularExpressions;

namespace OllamaMax.Infra.Tests;

/// <summary>What the documents of the repository point to is there.</summary>
public sealed partial class DocumentTests
{
    private static readonly string[] NotOurs = ["node_modules", "bin", "obj", "TestResults"];

    private static readonly string[] Documents =
    [
        .. new FileSystemEnumerable<string>(Repository.Root, static (ref entry) => entry.ToFullPath(), new() { RecurseSubdirectories = true })
        {
            ShouldIncludePredicate = static (ref entry) => !entry.IsDirectory && entry.FileName.EndsWith(".md"),
            ShouldRecursePredicate = static (ref entry) => !NotOurs.Contains(entry.FileName.ToString()),
        },
    ];

    [Fact]
    public void Links_ToFiles_LeadSomewhere()
    {
        string[] broken = [.. Links().Where(link => !Path.Exists(link.Target)).Select(link => $"{link.Document}: {link.Target}")];

        Documents.Length.ShouldBeGreaterThan(20);
        broken.ShouldBeEmpty();
    }

    [Fact]
    public void Links_ToPlacesInDocuments_LeadToAHeading()
    {
        (string Document, string Target, string Place)[] links = [.. Links().Where(link => link.Place.Length > 0 && link.Target.EndsWith(".md", StringComparison.Ordinal))];

        links.Length.ShouldBeGreaterThan(20);
        links.Where(link => !HeadingsOf(link.Target).Contains(link.Place)).Select(link => $"{link.Document}: {link.Target}#{link.Place}").ShouldBeEmpty();
    }

    private static IEnumerable<(string Document, string Target, string Place)> Links() =>
        from document in Documents
        from Match match in Link.Matches(File.ReadAllText(document))
        let path = match.Groups["path"].Value
        let target = path.Length == 0 ? document : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(document)!, path))
        select (Path.GetRelativePath(Repository.Root, document), target, match.Groups["place"].Value);

    /// <summary>The names that GitHub gives a document's headings in addresses.</summary>
    private static HashSet<string> HeadingsOf(string document) =>
    [
        .. Heading.Matches(Fence.Replace(File.ReadAllText(document), ""))
            .Select(match => InlineLink.Replace(match.Groups["text"].Value, "$1").Trim())
            .Select(text => NotInNames.Replace(text, "").Replace(' ', '-').ToLowerInvariant()),
    ];

    /// <summary>Without what has a scheme.</summary>
    [GeneratedRegex(@"\]\((?!\w+:)(?<path>[^)#\s]*)(#(?<place>[^)]*))?\)")]
    private static partial Regex Link { get; }

    [GeneratedRegex(@"^#{1,6} (?<text>.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading { get; }

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence { get; }

    [GeneratedRegex(@"\[([^\]]*)\]\([^)]*\)")]
    private static partial Regex InlineLink { get; }

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInNames { get; }
}
