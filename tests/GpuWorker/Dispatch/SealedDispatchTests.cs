using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Edge;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Security.Sealing;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.SignalR;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Dispatch;

/// <summary>Interactive jobs whose payloads are encrypted: what SignalR and storage get to see of them.</summary>
public sealed partial class SealedDispatchTests(AzuriteFixture azurite)
{
    private const string Secret = "the rain in Spain stays mainly in the plain";

    /// <summary>A message that nobody else knows.</summary>
    private const string Knock = "knock";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(262_144)]
    [InlineData(1)]
    public async Task Generate_Encrypted_IsAnsweredAndNobodyBetweenSeesPromptOrAnswer(int maxInlineBytes)
    {
        string storage = azurite.NewAccount();
        await using TestCluster cluster = await StartAsync(storage, maxInlineBytes);
        TaskCompletionSource looked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await cluster.AddWorkerAsync(
            new ScriptedEngine(slots: 1)
            {
                BeforeToken = (_, stop) =>
                {
                    begun.TrySetResult();
                    return looked.Task.WaitAsync(stop);
                },
            },
            Cancellation);
        ConcurrentQueue<string> seen = [];
        await using SignalRListener worker = await EavesdropAsync(cluster, Users.Worker(await WorkerIdAsync(cluster)), Targets.Grant, seen);
        await using SignalRListener edge = await EavesdropAsync(
            cluster, Users.Edge(cluster.EdgeServices.GetRequiredService<EdgeIdentity>().Id), Targets.Output, seen);

        Task<JsonElement> answering = GenerateAsync(cluster);
        await begun.Task.WaitAsync(Cancellation);
        IReadOnlyList<StoredContent> stored = await StoredContent.ReadAllAsync(storage, Cancellation);
        looked.SetResult();

        (await answering).GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
        // The last token is on its way to this listener as it was to the edge's own.
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while (!seen.Any(message => message.Contains("\"sealed\":[{", StringComparison.Ordinal)))
            await timer.WaitForNextTickAsync(Cancellation);
        // A busy machine has it repeated.
        seen.Where(message => message.Contains("\"owner_key\"", StringComparison.Ordinal)).Select(message => Nonce().Match(message).Value).Distinct().ShouldHaveSingleItem().ShouldNotBeEmpty();
        stored.Count(blob => blob.Name.StartsWith("jobs/payloads/", StringComparison.Ordinal)).ShouldBe(maxInlineBytes == 1 ? 1 : 0);
        stored.Where(blob => blob.Has(Secret)).ShouldBeEmpty();
        seen.ShouldAllBe(message => !message.Contains(Secret, StringComparison.Ordinal));
        // A piece is base64 in a chunk's JSON, and would not be found by its text.
        seen.ShouldAllBe(message => !message.Contains("\"tokens\"", StringComparison.Ordinal) && !message.Contains("\"prompt\"", StringComparison.Ordinal));
    }

    /// <summary>Encrypted and in base64 it is longer than the service takes in one message, although it is not yet.</summary>
    [Fact]
    public async Task Generate_EncryptedPromptNearlyAMegabyte_GoesByStorage()
    {
        await using TestCluster cluster = await StartAsync(azurite.NewAccount(), maxInlineBytes: 900_000);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation);

        (await GenerateAsync(cluster, new string('x', 800_000))).GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
    }

    [Fact]
    public async Task Generate_EncryptedAndTheFirstWorkerFails_AnotherGoesOnFromTheTokensThere()
    {
        await using TestCluster cluster = await StartAsync(azurite.NewAccount(), maxInlineBytes: 262_144);
        int failures = 0;
        for (int i = 0; i < 2; i++)
        {
            await cluster.AddWorkerAsync(
                new ScriptedEngine(slots: 1)
                {
                    BeforeToken = (index, _) => index == 10 && Interlocked.Exchange(ref failures, 1) == 0
                        ? Task.FromException(new InvalidOperationException("a fault of the engine's"))
                        : Task.CompletedTask,
                },
                Cancellation);
        }

        JsonElement answer = await GenerateAsync(cluster);

        answer.GetProperty("response").GetString().ShouldBe(ScriptedEngine.Answer(20));
        failures.ShouldBe(1);
    }

    private static Task<TestCluster> StartAsync(string storage, int maxInlineBytes) => TestCluster.StartAsync(
        storage,
        configure: services => services
            .Configure<DispatchOptions>(options => (options.EncryptPayloads, options.MaxInlineBytes) = (true, maxInlineBytes))
            .Configure<ContentKeyOptions>(options => options.Keys = ContentKeyTexts.Of("k1")),
        logs: new LogLines(),
        cancellationToken: Cancellation);

    private static async Task<JsonElement> GenerateAsync(TestCluster cluster, string prompt = Secret)
    {
        using HttpResponseMessage response = await cluster.Client.PostAsJsonAsync("/api/generate", new { model = "demo", prompt, raw = true, stream = false }, Cancellation);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        response.IsSuccessStatusCode.ShouldBeTrue(text);
        return JsonElement.Parse(text);
    }

    private static async Task<string> WorkerIdAsync(TestCluster cluster)
    {
        JsonElement listed = await cluster.Client.GetFromJsonAsync<JsonElement>("/cluster/workers", Cancellation);
        return listed.GetProperty("workers").EnumerateArray().Single().GetProperty("id").GetString()!;
    }

    /// <summary>A second connection of the same user is sent all that the first one is: what the service sees.</summary>
    private static async Task<SignalRListener> EavesdropAsync(TestCluster cluster, string user, string target, ConcurrentQueue<string> seen)
    {
        SignalRHub hub = cluster.EdgeServices.GetRequiredService<SignalRHub>();
        SignalRListener listener = new(_ => new(hub.Negotiate(user, TimeSpan.FromMinutes(5))), TimeProvider.System, new Random(1), NullLoggerFactory.Instance);
        TaskCompletionSource heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
        listener.On(target, argument => seen.Enqueue(argument.GetRawText()));
        listener.On(Knock, _ => heard.TrySetResult());
        listener.Start();
        await listener.WaitUntilConnectedAsync(Cancellation);
        // A client learns that it is connected a moment before messages reach it.
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while (!heard.Task.IsCompleted)
        {
            await hub.SendToUserAsync(user, Knock, new EchoMessage(1), ProtocolJson.Default.EchoMessage, Cancellation);
            await timer.WaitForNextTickAsync(Cancellation);
        }
        return listener;
    }

    [GeneratedRegex("\"nonce\":\"[^\"]+\"")]
    private static partial Regex Nonce();
}
