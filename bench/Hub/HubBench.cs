using System.Diagnostics;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OllamaMax.Bench.Reporting;
using OllamaMax.LocalHost.Azurite;
using OllamaMax.Storage;
using OllamaMax.TaskHub.Hosting;
using OllamaMax.TestKit;

namespace OllamaMax.Bench.Hub;

/// <summary>What the local task hub costs over Azurite: orchestrations whose activities do nothing, from the call that starts one to its end at its caller.</summary>
internal static class HubBench
{
    private const double LongestFanOut = 150;

    public static async Task RunAsync(BenchOptions options, BenchResult result, CancellationToken cancellationToken)
    {
        if (!options.Wants("fan-out"))
            return;
        options.Report("hub: starting Azurite");
        await using AzuriteProcess azurite = await AzuriteFixture.StartAsync(location: null, cancellationToken);
        StorageAccount account = new(azurite.ConnectionString);
        await account.CreateContainersAsync(cancellationToken);
        ServiceCollection services = new();
        services.AddLogging().AddSingleton(account).AddTaskHub(Register);
        await using ServiceProvider provider = services.BuildServiceProvider();
        IHostedService[] hosts = [.. provider.GetServices<IHostedService>()];
        foreach (IHostedService host in hosts)
            await host.StartAsync(cancellationToken);
        DurableTaskClient hub = provider.GetRequiredService<DurableTaskClient>();

        Table times = result.Add(Table.OfTimes(
            "Orchestrations whose activities do nothing",
            "Azurite without debug log, in memory; hub and caller in one process. Idle: the hub holds no lease before, as after ten quiet seconds. "
            + "Durable Functions' own storage backend takes 290 to 390 ms for five activities on Azurite."));
        Samples first = new(await MeasureAsync(hub, 5, cancellationToken));
        times.Add("5 activities, hub idle before", first.Times);
        foreach (var (activities, repeats) in Sizes(options))
        {
            options.Report($"hub: {activities} activities, {repeats} times");
            Samples samples = new();
            for (int i = 0; i < repeats; i++)
                samples.Add(await MeasureAsync(hub, activities, cancellationToken));
            times.Add($"{activities} activities", samples.Times);
            if (activities == 5)
                result.Aim("fan-out of 5 activities, median, ms", samples.Median, LongestFanOut, atMost: true);
        }
        foreach (IHostedService host in hosts)
            await host.StopAsync(cancellationToken);
    }

    private static IEnumerable<(int Activities, int Repeats)> Sizes(BenchOptions options) =>
        options.Quick ? [(5, 3)] : [(1, options.Repeats ?? 100), (5, options.Repeats ?? 100), (100, options.Repeats ?? 20), (1000, options.Repeats ?? 5)];

    private static async Task<double> MeasureAsync(DurableTaskClient hub, int activities, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        string id = await hub.ScheduleNewOrchestrationInstanceAsync("fan", activities, cancellationToken);
        OrchestrationMetadata ended = await hub.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true, cancellationToken);
        double took = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        return ended.ReadOutputAs<int>() == activities ? took : throw new InvalidOperationException($"A fan-out came to {ended.SerializedOutput ?? ended.FailureDetails?.ErrorMessage}.");
    }

    private static void Register(TaskRegistry registry) =>
        registry.AddOrchestrator("fan", () => new Fan()).AddActivity("one", _ => new One());

    private sealed class Fan : TaskOrchestrator<int, int>
    {
        public override async Task<int> RunAsync(TaskOrchestrationContext context, int input) =>
            (await Task.WhenAll(Enumerable.Range(0, input).Select(i => context.CallActivityAsync<int>("one", i)))).Sum();
    }

    private sealed class One : TaskActivity<int, int>
    {
        public override Task<int> RunAsync(TaskActivityContext context, int input) => Task.FromResult(1);
    }
}
