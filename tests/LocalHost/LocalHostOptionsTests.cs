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
    public void Errors_Edges_AreBoundedAndNeedPorts()
    {
        (Options with { Edges = 0 }).Errors().ShouldHaveSingleItem().ShouldContain("--edges is 0");
        (Options with { Edges = 3, Port = 65534 }).Errors().ShouldHaveSingleItem().ShouldContain("beyond 65535");
        (Options with { Edges = 2, Services = true }).Errors().ShouldHaveSingleItem().ShouldContain("--services");
        (Options with { Edges = 3, Port = 8000 }).EdgePorts.ShouldBe([8000, 8001, 8002]);
        (Options with { Edges = 2, Port = 0 }).EdgePorts.ShouldBe([0, 0]);
    }

    [Fact]
    public void Errors_SeveralEdgesThatAskForKeys_AreNone() =>
        (Options with { Edges = 2, RequireKeys = true, Listen = IPAddress.Any }).Errors().ShouldBeEmpty();

    [Fact]
    public void Arguments_OfAnEdge_AreThoseOfTheWhole()
    {
        EdgeCommand.Arguments(Options with { RequireKeys = true, Listen = IPAddress.Any, Certificate = "a.pem", EncryptPayloads = true, Alias = ["a=demo", "b=demo"] }, 8001, 9001).ShouldBe(
        [
            "edge", "--port", "8001", "--own-port", "9001", "--listen", "0.0.0.0", "--require-keys", "--certificate", "a.pem", "--encrypt-payloads", "--alias", "a=demo", "--alias", "b=demo",
        ]);
        EdgeCommand.Arguments(Options, 8001, 0).ShouldBe(["edge", "--port", "8001", "--own-port", "0", "--listen", "127.0.0.1"]);
    }

    [Fact]
    public void Errors_HttpsWithWhatExcludesIt_SaysSo()
    {
        (Options with { Https = true }).Errors().ShouldBeEmpty();
        (Options with { Https = true, Services = true }).Errors().ShouldHaveSingleItem().ShouldContain("--services");
        (Options with { Https = true, Certificate = _folder.File("none.pem") }).Errors().ShouldContain(error => error.Contains("one of them", StringComparison.Ordinal));
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
    public void Errors_PartOfAModelWithoutTheOthers_NamesTheOneThatLacks()
    {
        File.WriteAllText(_folder.File("model-00001-of-00002.gguf"), "GGUF");

        (Options with { Model = _folder.File("model-00001-of-00002.gguf") }).Errors().ShouldHaveSingleItem().ShouldContain("model-00002-of-00002.gguf is missing");
    }

    [Theory]
    [InlineData("200G", 0)]
    [InlineData("much", 1)]
    public void Errors_DiskBudget_IsAnAmountOfBytes(string budget, int errors) => (Options with { DiskBudget = budget }).Errors().Count().ShouldBe(errors);

    [Fact]
    public void Errors_ModelByName_IsNoFile() => (Options with { Model = "library/llama3:8b" }).Errors().ShouldBeEmpty();

    [Fact]
    public void Errors_AliasesInACircle_NamesThem() =>
        (Options with { Alias = ["a=b,demo", "b=a"] }).Errors().ShouldBe(
            ["--alias: alias 'a:latest' comes back to itself, through 'b:latest'", "--alias: alias 'b:latest' comes back to itself, through 'a:latest'"]);

    public void Dispose() => _folder.Dispose();
}
