using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Jobs;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>A background job whose worker, and whose reader's edge, lose storage. Beside the other classes: it waits most of its time.</summary>
public sealed class StorageOutageTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>For longer than Azure's client tries by itself: what it then throws is another exception than that of a storage which refuses.</summary>
    [Fact]
    public async Task Storage_IsCutOff_TheWorkerDecodesOnAndTheReaderHasAllWhenItIsBack()
    {
        using LogLines logs = new();
        AzuriteFixture azurite = (await TestContext.Current.GetFixture<AzuriteFixture>())!;
        int port = azurite.Process.Endpoints.BlobPort;
        await using TcpRelay relay = new(port);
        await using TestCluster cluster = await TestCluster.StartAsync(
            azurite.NewAccount().Replace($":{port}/", $":{relay.Port}/", StringComparison.Ordinal),
            // Storage's client gives up when it does; by then nobody else is to have the message.
            configure: services => services.Configure<BackgroundOptions>(options => options.Lease = TimeSpan.FromMinutes(5)),
            logs: logs,
            cancellationToken: Cancellation);
        var cut = new TaskCompletionSource();
        var back = new TaskCompletionSource();
        var reached = new TaskCompletionSource();
        ScriptedEngine engine = new(slots: 1)
        {
            BeforeToken = (index, stop) =>
            {
                if (index == 10)
                    reached.TrySetResult();
                return (index < 10 ? Task.CompletedTask : index < 15 ? cut.Task : back.Task).WaitAsync(stop);
            },
        };
        await cluster.AddWorkerAsync(engine, Cancellation);
        string id = await cluster.Client.SubmitAsync();
        await reached.Task.WaitAsync(Cancellation);

        await using IAsyncEnumerator<JsonElement> reader = cluster.Client.StreamAsync(id, 0, Cancellation).GetAsyncEnumerator(Cancellation);
        (await reader.MoveNextAsync()).ShouldBeTrue();
        JsonElement last = reader.Current;
        string text = Text(last);

        relay.CutOff(_ => true);
        cut.SetResult();
        await Task.WhenAll(logs.WaitForAsync("Storage failed for background job", Cancellation), logs.WaitForAsync("A reader of background job", Cancellation));
        relay.CutOff(_ => false);
        back.SetResult();

        while (await reader.MoveNextAsync())
            text += Text(last = reader.Current);
        text.ShouldBe(ScriptedEngine.Answer(20));
        last.GetProperty("done").GetBoolean().ShouldBeTrue();
        last.GetProperty("attempts").GetInt32().ShouldBe(1);

        static string Text(JsonElement line) => line.GetProperty("text").GetString()!;
    }
}
