using OllamaMax.LocalHost.Azurite;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.Bench.Dispatch;

/// <summary>Edge, SignalR surface and one worker with a scripted engine in this process, over an Azurite of their own with files on disk.</summary>
internal sealed class Stage : IAsyncDisposable
{
    private readonly TempFolder _folder;
    private readonly AzuriteProcess _azurite;
    private readonly TestCluster _cluster;

    private Stage(TempFolder folder, AzuriteProcess azurite, TestCluster cluster, ScriptedEngine engine)
    {
        _folder = folder;
        _azurite = azurite;
        _cluster = cluster;
        Engine = engine;
        Chat = new ChatClient(cluster.Client);
    }

    public ScriptedEngine Engine { get; }

    public ChatClient Chat { get; }

    public HttpClient Http => _cluster.Client;

    public string Storage => _azurite.ConnectionString;

    public static async Task<Stage> StartAsync(int slots, CancellationToken cancellationToken)
    {
        TempFolder folder = new();
        AzuriteProcess azurite = await AzuriteFixture.StartAsync(folder.Path, cancellationToken);
        TestCluster cluster = await TestCluster.StartAsync(azurite.ConnectionString, cancellationToken: cancellationToken);
        // Longer than anybody asks for: num_predict ends the answers.
        ScriptedEngine engine = new(slots) { AnswerTokens = 1000 };
        await cluster.AddWorkerAsync(engine, cancellationToken);
        return new(folder, azurite, cluster, engine);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _azurite.DisposeAsync();
        _folder.Dispose();
    }
}
