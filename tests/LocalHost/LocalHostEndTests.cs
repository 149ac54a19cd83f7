using System.Diagnostics;
using OllamaMax.Inference.Packages;
using OllamaMax.TestKit;

namespace OllamaMax.LocalHost.Tests;

/// <summary>The real program in a process of its own: however it ends, nothing of it is left.</summary>
public sealed class LocalHostEndTests
{
    private static readonly LocalSystemOptions NoWorkers = new() { Workers = 0 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sigterm_WhenReady_EndsItAndItsChildrenWithinFiveSeconds()
    {
        await using LocalSystem system = await LocalSystem.StartAsync(NoWorkers, Cancellation);
        using Process azurite = OnlyChildOf(system.Pid);
        long start = Stopwatch.GetTimestamp();

        (await system.StopAsync()).ShouldBe(0);

        azurite.HasExited.ShouldBeTrue();
        Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Killed_WhenReady_LeavesNoOrphan()
    {
        await using LocalSystem system = await LocalSystem.StartAsync(NoWorkers, Cancellation);
        using Process azurite = OnlyChildOf(system.Pid);

        LocalSystem.Kill(system.Pid);

        await azurite.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
    }

    [Fact]
    public async Task DotnetRunKilled_WhenReady_EndsToo()
    {
        string project = Path.Combine(RepositoryRoot.Find(), "src", "LocalHost");
        string configuration = AppContext.BaseDirectory.Contains("Release", StringComparison.Ordinal) ? "Release" : "Debug";
        await using LocalSystem system = await LocalSystem.StartAsync(
            NoWorkers with { Launcher = ["dotnet", "run", "--no-build", "--configuration", configuration, "--project", project, "--"] }, Cancellation);
        using Process host = OnlyChildOf(system.Pid);

        LocalSystem.Kill(system.Pid);

        await host.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
    }

    private static Process OnlyChildOf(int pid)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Children are looked up in /proc.");
        return Process.GetProcessById(LinuxProcesses.ChildrenOf(pid).ShouldHaveSingleItem());
    }
}
