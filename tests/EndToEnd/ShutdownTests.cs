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
    [InlineData("SIGINT")]
    public async Task Signal_WhileAnswering_EndsEveryChildWithinSeconds(string signal)
    {
        await using LocalSystem system = await StartBusyAsync();
        Process[] children = Children(system);
        long start = Stopwatch.GetTimestamp();

        if (signal == "SIGINT")
            LocalSystem.Interrupt(system.Pid);
        else
            LocalSystem.Terminate(system.Pid);

        (await system.Exit.WaitAsync(Cancellation)).ShouldBe(0);
        Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(20), "5 on a machine that does nothing else");
        children.ShouldAllBe(child => child.HasExited);
    }

    [Fact]
    public async Task Killed_WhileAnswering_LeavesNoOrphans()
    {
        await using LocalSystem system = await StartBusyAsync();
        Process[] children = Children(system);

        LocalSystem.Kill(system.Pid);

        foreach (Process child in children)
            await child.WaitForExitAsync(Cancellation);
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
