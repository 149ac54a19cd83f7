using System.IO.Enumeration;
using System.Text.RegularExpressions;

namespace OllamaMax.Infra.Tests;

/// <summary>What the documents of the repository point to is there.</summary>
public sealed partial class DocumentTests
{
    private static readonly string[] NotOurs = ["node_modules", "bin", "obj", "TestResults"];

    [Fact]
    public void Links_ToFiles_LeadSomewhere()
    {
        string[] documents =
        [
            .. new FileSystemEnumerable<string>(Repository.Root, static (ref entry) => entry.ToFullPath(), new() { RecurseSubdirectories = true })
            {
                ShouldIncludePredicate = static (ref entry) => !entry.IsDirectory && entry.FileName.EndsWith(".md"),
                ShouldRecursePredicate = static (ref entry) => !NotOurs.Contains(entry.FileName.ToString()),
            },
        ];

        string[] broken =
        [
            .. documents.SelectMany(file => Link.Matches(File.ReadAllText(file))
                .Select(match => match.Groups["path"].Value)
                .Where(path => !Path.Exists(Path.Combine(Path.GetDirectoryName(file)!, path)))
                .Select(path => $"{Path.GetRelativePath(Repository.Root, file)}: {path}")),
        ];

        documents.Length.ShouldBeGreaterThan(20);
        broken.ShouldBeEmpty();
    }

    /// <summary>Without what has a scheme, and without the place in the document.</summary>
    [GeneratedRegex(@"\]\((?<path>(?!\w+:)[^)#\s]+)(#[^)]*)?\)")]
    private static partial Regex Link { get; }
}
