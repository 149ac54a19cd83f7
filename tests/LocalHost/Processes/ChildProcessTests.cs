using OllamaMax.LocalHost.Processes;
using OllamaMax.TestKit;

namespace OllamaMax.LocalHost.Tests.Processes;

public sealed class ChildProcessTests
{
    private readonly LineLog _output = new();
    private readonly LineLog _errors = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private ChildProcess Run(string javaScript, bool endsWithInput = false) =>
        ChildProcess.Start(new("node", ["-e", javaScript]) { EndsWithInput = endsWithInput }, _output.Add, _errors.Add, TimeProvider.System);

    [Fact]
    public async Task Exit_ProcessEnded_HasItsCodeAndItsLastLine()
    {
        await using ChildProcess child = Run("console.log('out'); console.error('err'); process.exit(7)");

        (await child.Exit).ShouldBe(7);
        _output.Lines.ShouldBe(["out"]);
        _errors.Lines.ShouldBe(["err"]);
    }

    [Fact]
    public async Task StopAsync_ProcessThatHandlesSigterm_EndsItCleanly()
    {
        await using ChildProcess child = Run(
            "process.on('SIGTERM', () => { console.log('bye'); process.exit(0) }); console.log('up'); setInterval(() => {}, 1000)");
        await _output.WaitForAsync(line => line == "up", Cancellation);

        await child.StopAsync(TimeSpan.FromSeconds(30));

        (await child.Exit).ShouldBe(0);
        _output.Lines.ShouldBe(["up", "bye"]);
    }

    [Fact]
    public async Task StopAsync_ProcessThatIgnoresSigterm_KillsItAfterTheGrace()
    {
        await using ChildProcess child = Run("process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)");
        await _output.WaitForAsync(line => line == "up", Cancellation);

        await child.StopAsync(TimeSpan.FromMilliseconds(100));

        (await child.Exit).ShouldBe(128 + 9);
    }

    [Fact]
    public async Task Start_LongLivedChild_HoldsItsInputOpen()
    {
        await using ChildProcess child = Run(
            "process.stdin.resume().on('end', () => process.exit(1)); process.on('SIGTERM', () => process.exit(0)); console.log('up')");
        await _output.WaitForAsync(line => line == "up", Cancellation);

        await child.StopAsync(TimeSpan.FromSeconds(30));

        (await child.Exit).ShouldBe(0);
    }

    [Fact]
    public async Task StopAsync_ProcessThatEndsWithItsInput_GetsNoSignal()
    {
        await using ChildProcess child = Run(
            "process.stdin.resume().on('end', () => process.exit(0)); process.on('SIGTERM', () => process.exit(1)); console.log('up')", endsWithInput: true);
        await _output.WaitForAsync(line => line == "up", Cancellation);

        await child.StopAsync(TimeSpan.FromSeconds(30));

        (await child.Exit).ShouldBe(0);
    }
}
