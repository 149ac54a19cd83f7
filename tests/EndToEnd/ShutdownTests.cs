using System.Diagnostics;
using OllamaMax.TestKit;

namespace OllamaMax.EndToEnd.Tests;

/// <summary>The end of it all, with workers that are busy.</summary>
[Collection(nameof(RunsAlone))]
public sealed class ShutdownTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("SIGTERM")]
    [InlineData("SIGTERM to all")]
    [InlineData("SIGINT")]
    public async Task Signal_WhileAnswering_EndsEveryChildWithinFiveSeconds(string signal)
    {
        const int Sigint = 2;
        Assert.SkipWhen(
            signal == "SIGINT" && OperatingSystem.IsLinux() && LinuxProcesses.Ignores(Environment.ProcessId, Sigint),
            "SIGINT is ignored by what a shell starts in the background, and by its children.");
        await using LocalSystem system = await StartBusyAsync();
        Process[] children = Children(system);
        long start = Stopwatch.GetTimestamp();

        // As Ctrl-C does in a terminal, and systemd with all that a unit has started; the host last, so that it finds out whether one of them took it for its own.
        foreach (Process child in signal == "SIGTERM" ? [] : children)
            Send(child.Id);
        Send(system.Pid);

        (await system.Exit.WaitAsync(Cancellation)).ShouldBe(0);
        Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(5));
        children.ShouldAllBe(child => child.HasExited);
        system.Errors.Lines.Concat(system.Output.Lines).ShouldNotContain(
            line => line.Contains("azurite ended", StringComparison.Ordinal) || line.Contains("starting it again", StringComparison.Ordinal), "storage is there until what uses it has ended");

        void Send(int pid)
        {
            if (signal == "SIGINT")
                LocalSystem.Interrupt(pid);
            else
                LocalSystem.Terminate(pid);
        }
    }

    [Fact]
    public async Task Killed_WhileAnswering_LeavesNoOrphans()
    {
        await using LocalSystem system = await StartBusyAsync();
        Process[] children = Children(system);

        LocalSystem.Kill(system.Pid);

        foreach (Process child in children)
            await child.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
    }

    public void Dispose() => _folder.Dispose();

    private async Task<LocalSystem> StartBusyAsync()
    {
        LocalSystem system = await LocalSystem.StartAsync(new() { Workers = 2, Model = LocalSystemFixture.WriteEndless(_folder) }, Cancellation);
        // Not disposed: a client that leaves would make the system idle.
        HttpClient client = system.Client();
        await client.BeginEndlessAsync();
        return system;
    }

    /// <summary>Azurite and two workers.</summary>
    private static Process[] Children(LocalSystem system)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Children are looked up in /proc.");
        Process[] children = [.. LinuxProcesses.ChildrenOf(system.Pid).Select(Process.GetProcessById)];
        children.Length.ShouldBe(3);
        return children;
    }
}
