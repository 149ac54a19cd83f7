using System.Reflection;
using System.Text.RegularExpressions;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Jobs;
using OllamaMax.Inference.Packages;

namespace OllamaMax.Edge.Tests.Operations;

/// <summary>Settings that nobody is told of might as well not be there.</summary>
public sealed class SettingsTests
{
    /// <summary>What a composition decides.</summary>
    private static readonly string[] NotForOperators =
        [$"{nameof(BackgroundOptions)}.{nameof(BackgroundOptions.TakesCompletions)}", $"{nameof(ClusterOptions)}.{nameof(ClusterOptions.Ticks)}"];

    [Fact]
    public async Task Settings_EachOne_StandsInADocument()
    {
        string documents = string.Concat(await Task.WhenAll(Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Find(), "docs"), "*.md")
            .Select(file => File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))));
        PropertyInfo[] settings =
        [
            .. typeof(EdgeOptions).Assembly.GetTypes()
                .Where(type => type.GetField("Section", BindingFlags.Public | BindingFlags.Static) is { IsLiteral: true })
                .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
                .Where(property => property.SetMethod is not null),
        ];

        settings.Length.ShouldBeGreaterThan(60);
        settings.Where(setting => !Regex.IsMatch(documents, $@"(__|…|`){setting.Name}(?![A-Za-z0-9])"))
            .Select(setting => $"{setting.DeclaringType!.Name}.{setting.Name}").ShouldBe(NotForOperators, ignoreOrder: true);
    }
}
