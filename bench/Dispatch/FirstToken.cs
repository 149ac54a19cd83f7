using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Bench.Reporting;
using OllamaMax.Inference;
using OllamaMax.Inference.Batching;
using OllamaMax.Jobs;
using OllamaMax.LocalHost.Azurite;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.Bench.Dispatch;

/// <summary>
/// Time to the first token of the demo model: the engine called in this process; the whole system as a user starts it, with the worker in a
/// process of its own; and edge, surface and worker together in this process. One after the other with the same prompt, so that what else
/// the machine does meets all of them alike.
/// </summary>
internal static class FirstToken
{
    private const double MostAdded = 10;
    private const int Tokens = 12;

    public static async Task MeasureAsync(DispatchSizes sizes, BenchResult result, Action<string> report, CancellationToken cancellationToken)
    {
        report("first token: starting the system");
        await using LoadedEngine engine = await LlamaEngine.LoadAsync(
            TestCluster.DemoModel, new EngineOptions(), NullLoggerFactory.Instance, TimeProvider.System, cancellationToken);
        await using LocalSystem system = await LocalSystem.StartAsync(new() { Model = TestCluster.DemoModel }, cancellationToken);
        using HttpClient http = new() { BaseAddress = system.BaseAddress };
        await using AzuriteProcess azurite = await AzuriteFixture.StartAsync(location: null, cancellationToken);
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.ConnectionString, cancellationToken: cancellationToken);
        await cluster.AddWorkerAsync(engine: null, cancellationToken);
        ChatClient processes = new(http);
        ChatClient together = new(cluster.Client);

        Samples direct = new(), viaProcesses = new(), viaOne = new(), added = new(), addedInOne = new();
        for (int i = -sizes.WarmUp; i < sizes.FirstTokens; i++)
        {
            string question = string.Create(CultureInfo.InvariantCulture, $"What is OllamaMax? ({i + sizes.WarmUp})");
            ChatAnswer alone = await RunDirectAsync(engine.Engine, question, cancellationToken);
            ChatAnswer system1 = await processes.ChatAsync(question, Tokens, cancellationToken);
            ChatAnswer system2 = await together.ChatAsync(question, Tokens, cancellationToken);
            Compare(alone, system1);
            Compare(alone, system2);
            if (i < 0)
                continue;
            direct.Add(alone.FirstText);
            viaProcesses.Add(system1.FirstText);
            viaOne.Add(system2.FirstText);
            added.Add(system1.FirstText - alone.FirstText);
            addedInOne.Add(system2.FirstText - alone.FirstText);
        }

        Table table = result.Add(Table.OfTimes(
            "Time to the first token, warm",
            "A chat with the demo model, streamed over HTTP, against the same engine called in-process with the same prompt; interleaved. " +
            "The added time is that of each pair."));
        table.Add("engine called in this process", direct.Times);
        table.Add("local host and worker as processes", viaProcesses.Times);
        table.Add("edge, SignalR surface and worker in one process", viaOne.Times);
        table.Add("added, as processes", added.Times);
        table.Add("added, in one process", addedInOne.Times);
        result.Aim("added to the first token, median, ms", added.Median, MostAdded, atMost: true);
    }

    private static async Task<ChatAnswer> RunDirectAsync(IInferenceEngine engine, string question, CancellationToken cancellationToken)
    {
        EngineRequest request = new()
        {
            Prompt = $"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n",
            Options = new InferenceOptions { Temperature = 0, NumPredict = Tokens },
            Seed = 1,
        };
        StampingSink sink = new();
        long start = Stopwatch.GetTimestamp();
        AttemptEnd end = await engine.RunAsync(request, sink, cancellationToken);
        if (end.Reason is not (EndReason.Stop or EndReason.Length))
            throw new InvalidOperationException($"The engine ended by {end.Reason}: {end.Error}");
        return new(sink.First(start), Stopwatch.GetElapsedTime(start), sink.Text, sink.Start!.PromptTokens);
    }

    /// <summary>The figures can only be compared if the same was computed.</summary>
    private static void Compare(ChatAnswer alone, ChatAnswer through)
    {
        if (alone.PromptTokens != through.PromptTokens)
            throw new InvalidOperationException($"The engine alone read {alone.PromptTokens} tokens, the system {through.PromptTokens}.");
    }
}
