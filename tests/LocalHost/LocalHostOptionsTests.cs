using System.Net;
using OllamaMax.TestKit;

namespace OllamaMax.LocalHost.Tests;

public sealed class LocalHostOptionsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static LocalHostOptions Options => new() { Data = "", EdgeUrl = new("http://localhost:7071") };

    [Fact]
    public void Errors_SeveralThingsWrong_NamesThemAll()
    {
        LocalHostOptions options = Options with { Port = 70000, Workers = -1, Model = _folder.File("none.gguf") };

        options.Errors().Count().ShouldBe(3);
    }

    [Fact]
    public void Errors_ModelThatIsNoGguf_SaysSo()
    {
        File.WriteAllText(_folder.File("model.gguf"), "something else");

        (Options with { Model = _folder.File("model.gguf") }).Errors().ShouldHaveSingleItem().ShouldContain("no GGUF");
    }

    [Theory]
    [InlineData("0.0.0.0", false, 1)]
    [InlineData("0.0.0.0", true, 0)]
    [InlineData("::1", false, 0)]
    public void Errors_AnotherAddressThanTheLoopbacks_NeedsKeys(string address, bool requireKeys, int errors) =>
        (Options with { Listen = IPAddress.Parse(address), RequireKeys = requireKeys }).Errors().Count().ShouldBe(errors);

    [Fact]
    public void Errors_ModelByName_IsNoFile() => (Options with { Model = "library/llama3:8b" }).Errors().ShouldBeEmpty();

    [Fact]
    public void Errors_AliasesInACircle_NamesThem() =>
        (Options with { Alias = ["a=b,demo", "b=a"] }).Errors().ShouldBe(
            ["--alias: alias 'a:latest' comes back to itself, through 'b:latest'", "--alias: alias 'b:latest' comes back to itself, through 'a:latest'"]);

    public void Dispose() => _folder.Dispose();
}
