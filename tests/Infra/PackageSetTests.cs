namespace OllamaMax.Infra.Tests;

/// <summary>What the package set <c>full</c> asks of sources that are built here without it.</summary>
public sealed class PackageSetTests
{
    private static readonly string s_tests = Repository.File("tests", "Inference");

    // Native.LlamaCpp: the binding; Tests.LlamaCpp: what those tests are made of.
    private static readonly string[] s_bindings = ["OllamaMax.Inference.Native.LlamaCpp", "OllamaMax.Inference.Tests.LlamaCpp"];

    [Fact]
    public void TestsOfTheEngine_AskLlamaCppByTheBinding_OnlyInTheFolderThatFullLeavesOut()
    {
        string leftOut = Path.Combine(s_tests, "LlamaCpp") + Path.DirectorySeparatorChar;
        string[] sources =
        [
            .. Directory.EnumerateFiles(s_tests, "*.cs", SearchOption.AllDirectories)
                .Where(static file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}")),
        ];

        string[] asking = [.. sources.Where(static file => s_bindings.Any(File.ReadAllText(file).Contains))];

        asking.ShouldContain(file => file.StartsWith(leftOut));
        asking.Where(file => !file.StartsWith(leftOut)).ShouldBeEmpty();
        File.ReadAllText(Path.Combine(s_tests, "OllamaMax.Inference.Tests.csproj")).ShouldContain("<Compile Remove=\"LlamaCpp/**\" />");
    }
}
