using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Health;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests;

/// <summary>What a worker does when a part of it fails. A storage of its own, whose list of workers nobody else writes.</summary>
public sealed class WorkerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_OneOfItsLoopsDies_EndsWithTheReasonAndSaysGoodbye()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        BreakingTime time = new();
        TestWorker worker = await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), time);

        time.IsBroken = true;
        worker.Services.GetRequiredService<Heartbeat>().ReportSoon();

        (await Should.ThrowAsync<InvalidOperationException>(() => worker.Running.WaitAsync(Cancellation))).Message.ShouldBe(BreakingTime.Reason);
        (await cluster.EdgeServices.GetRequiredService<Heartbeats>().ListAsync(Cancellation)).ShouldHaveSingleItem().Report.Left.ShouldBeTrue();
    }

    [Fact]
    public async Task Write_FolderOfCopiesIsAwayForAWhile_IsTriedAgain()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        TestWorker worker = await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        Heartbeat heartbeat = worker.Services.GetRequiredService<Heartbeat>();
        string folder = worker.Services.GetRequiredService<IOptions<WorkerOptions>>().Value.ReplicaFolder;

        // A report of the worker's own may make it anew in between.
        for (int i = 0; !File.Exists(folder); i++)
        {
            Directory.Move(folder, $"{folder}.away{i}");
            try
            {
                await File.WriteAllTextAsync(folder, "in the way", Cancellation);
            }
            catch (UnauthorizedAccessException) when (Directory.Exists(folder))
            {
            }
        }
        bool isWritten = await heartbeat.WriteAsync(Cancellation);
        heartbeat.ReportSoon();
        File.Delete(folder);

        isWritten.ShouldBeFalse();
        (await heartbeat.WriteAsync(Cancellation)).ShouldBeTrue();
        await worker.DrainAsync();
    }

    /// <summary>From some moment on nobody can wait for as long as an idle worker's heartbeat does.</summary>
    private sealed class BreakingTime : TimeProvider
    {
        public const string Reason = "the clock is broken";

        public volatile bool IsBroken;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            IsBroken && dueTime == TimeSpan.FromSeconds(60) ? throw new InvalidOperationException(Reason) : base.CreateTimer(callback, state, dueTime, period);
    }
}
