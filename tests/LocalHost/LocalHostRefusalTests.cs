using System.Net;
using System.Net.Sockets;
using OllamaMax.LocalHost.Azurite;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.LocalHost.Tests;

/// <summary>The real program in a process of its own: how it says why it does not start.</summary>
public sealed class LocalHostRefusalTests : IDisposable
{
    private static readonly LocalSystemOptions NoWorkers = new() { Workers = 0 };

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_SecondOnTheSameData_SaysSo()
    {
        await using LocalSystem first = await LocalSystem.StartAsync(NoWorkers, Cancellation);

        string error = await FailsAsync(NoWorkers with { Data = first.Data });

        error.ShouldStartWith("error: another local host (pid ");
    }

    [Theory]
    [InlineData(1, "error: ")]
    [InlineData(2, "error: edge-")]
    public async Task Start_SettingThatIsNoTime_NamesIt(int edges, string begins)
    {
        string error = await FailsAsync(NoWorkers with
        {
            MoreArguments = ["--edges", $"{edges}"],
            Environment = new Dictionary<string, string?> { ["OllamaMax__Jobs__Retention"] = "abc" },
        });

        error.ShouldStartWith(begins);
        error.ShouldContain("OllamaMax:Jobs:Retention");
    }

    [Fact]
    public async Task Start_BusyPort_SaysSo()
    {
        using TcpListener busy = new(IPAddress.Loopback, 0);
        busy.Start();
        int port = ((IPEndPoint)busy.LocalEndpoint).Port;

        (await FailsAsync(NoWorkers with { Port = port })).ShouldStartWith($"error: port {port} cannot be used");
    }

    [Fact]
    public async Task Start_NoNode_SaysHowToGetIt()
    {
        string dotnet = Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet");
        LocalSystemOptions options = NoWorkers with
        {
            Launcher = [Path.GetFullPath(dotnet), Path.Combine(AppContext.BaseDirectory, "OllamaMax.LocalHost.dll")],
            Environment = new Dictionary<string, string?> { ["PATH"] = _folder.Path },
        };

        (await FailsAsync(options)).ShouldStartWith("error: Node.js is missing");
    }

    [Fact]
    public async Task Start_UnreadableModel_SaysSo() =>
        (await FailsAsync(NoWorkers with { Model = _folder.File("none.gguf") })).ShouldContain("none.gguf cannot be used");

    /// <summary>One that was asked for ends the start; one that is merely there does not, or it would end each from then on.</summary>
    [Fact]
    public async Task Start_ModelThatCannotBeRun_EndsItWhereItWasAskedForAlone()
    {
        GgufGenerator.Write(_folder.File("broken.gguf"), new() { ChatTemplate = "{{ raise_exception('not like this') }}" });
        LocalSystemOptions options = new() { Data = _folder.File("data") };

        string error = await FailsAsync(options with { Model = _folder.File("broken.gguf") });
        await using LocalSystem again = await LocalSystem.StartAsync(options, Cancellation);

        error.ShouldStartWith("error: the model broken:latest cannot be run: ");
        error.ShouldContain("not like this");
        again.Output.Lines.ShouldContain(error["error: ".Length..]);
    }

    [Fact]
    public async Task Start_StorageThatDoesNotAnswer_SaysSo()
    {
        using TcpListener unused = new(IPAddress.Loopback, 0);
        unused.Start();
        int port = ((IPEndPoint)unused.LocalEndpoint).Port;
        unused.Stop();
        string account = new AzuriteEndpoints(port, port, port).ConnectionString;

        string error = await FailsAsync(NoWorkers with { Environment = new Dictionary<string, string?> { ["AzureWebJobsStorage"] = account } });

        error.ShouldStartWith("error: the account in AzureWebJobsStorage does not answer");
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>The one line on standard error of a start that fails.</summary>
    private static async Task<string> FailsAsync(LocalSystemOptions options)
    {
        await using LocalSystem system = LocalSystem.Launch(options);
        (await system.Exit).ShouldBe(1);
        return system.Errors.Lines.ShouldHaveSingleItem();
    }
}
